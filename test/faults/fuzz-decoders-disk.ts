// The fuzzer's decoders of the disk: records behind their code, the configuration and the keystore.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keystoreAddress } from '../../relayer/chain/keystore.ts'
import { loadBootnodeConfig, loadConfig, loadToolConfig } from '../../relayer/config.ts'
import { EncodingError, enc } from '../../relayer/crypto/enc.ts'
import { concat, to0x, toAddress, u32, u64, u8, utf8 } from '../../relayer/lib/bytes.ts'
import { ConfigError, StoreError } from '../../relayer/lib/errors.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { activationOf } from '../../relayer/protocol/typed.ts'
import { listCeremonies, readCursor } from '../../relayer/store/ceremonies.ts'
import {
  decodeActivation,
  decodeShareRecord,
  encodeActivation,
  encodeShareRecord,
} from '../../relayer/store/codec.ts'
import type { Database } from '../../relayer/store/database.ts'
import { decodeDecision, encodeDecision, readDecision, watchedFrom } from '../../relayer/store/decisions.ts'
import { listRetired, readRunning } from '../../relayer/store/epochs.ts'
import { listEvidence } from '../../relayer/store/evidence.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { checkOwner, nextBoot } from '../../relayer/store/owner.ts'
import { listPeers } from '../../relayer/store/peerbook.ts'
import { decodeReceipt, encodeReceipt } from '../../relayer/store/receipts.ts'
import { Records } from '../../relayer/store/records.ts'
import { Sealer } from '../../relayer/store/sealing.ts'
import { loadShares, readShareRecord, type Vault } from '../../relayer/store/shares.ts'
import type { Decoder } from './fuzz-engine.ts'
import { bentValue } from './fuzz-structure.ts'
import type { Samples } from './fuzz-samples.ts'

const MEMBER = toAddress(`0x${'22'.repeat(20)}`)
const IDENTITY = { chainId: 31337, bridge: toAddress(`0x${'b1'.repeat(20)}`), operator: MEMBER }
const SLOT = { epoch: 1, attempt: 0 }

/** A database that holds one record. */
function holding(key: string, value: Uint8Array): Database {
  return {
    get: async (asked) => (asked === key ? value : undefined),
    entries: async (prefix) => (key.startsWith(prefix) ? [[key, value] as const] : []),
    batch: async () => {},
    compact: async () => {},
    close: async () => {},
  }
}

/** A vault over one record, as it stands on the disk or with its right code. */
function vaultWith(key: string, body: Uint8Array, coded: boolean): Vault & { database: Database } {
  const operatorKey = new Secret(new Uint8Array(32).fill(5))
  const put = coded ? new Records(holding('', body), operatorKey).put(key, body) : null
  const database = holding(key, put?.type === 'put' ? put.value : body)
  const file = new Uint8Array(72)
  return {
    database,
    identity: IDENTITY,
    records: new Records(database, operatorKey),
    sealer: new Sealer(IDENTITY, operatorKey, (length) => new Uint8Array(length)),
    keyFiles: {
      write: async () => {},
      read: async () => file,
      destroy: async () => {},
      list: async () => [],
    },
  }
}

export function diskDecoders(samples: Samples): Decoder[] {
  const { prepared, spec } = samples.keygen
  const record = {
    op: spec.op,
    sessionId: prepared.sessionId,
    epoch: prepared.epoch,
    attempt: prepared.attempt,
    transcript: prepared.transcript,
    committee: spec.next,
    index: 1,
    predecessor: 0,
    keys: prepared.keys,
  }
  const share = encodeShareRecord(record)
  const activation = encodeActivation({
    activation: activationOf(spec, prepared),
    readiness: spec.next.members.map(() => to0x(new Uint8Array(65).fill(1))),
    groupSignature: to0x(new Uint8Array(52).fill(2)),
  })
  const receipt = encodeReceipt({
    epoch: 1,
    relayer: MEMBER,
    successorEpoch: 2,
    outstandingBackups: 0,
    signature: to0x(new Uint8Array(65).fill(1)),
  })
  const malformed = 'EncodingError: decode: '
  return [
    {
      name: 'share record',
      covers: ['store/codec.ts#decodeShareRecord'],
      weight: 2,
      samples: [share],
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeShareRecord(decodeShareRecord(bytes)) }),
      reaches: [
        'taken',
        ...[
          'committee of another',
          'index outside',
          'bad list of members',
          'unknown scheme',
          'integer too large',
        ].map((why) => malformed + why),
        ...['no UTF-N', 'unknown word'].map((why) => malformed + why),
      ],
    },
    {
      name: 'activation record',
      covers: ['store/codec.ts#decodeActivation'],
      weight: 2,
      samples: [activation],
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeActivation(decodeActivation(bytes)) }),
      reaches: ['taken', `${malformed}integer too large`, `${malformed}part N has`],
    },
    {
      name: 'receipt',
      covers: ['store/receipts.ts#decodeReceipt'],
      weight: 2,
      samples: [receipt],
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeReceipt(decodeReceipt(bytes)) }),
      reaches: ['taken', `${malformed}integer too large`, `${malformed}part N has`],
    },
    {
      name: 'decision',
      covers: ['store/decisions.ts#decodeDecision'],
      weight: 1,
      samples: [
        encodeDecision({ epoch: 2, committeeHash: new Uint8Array(32).fill(4), verdict: 'approved' }),
        encodeDecision({ epoch: 2, committeeHash: new Uint8Array(32).fill(4), verdict: 'vetoed' }),
      ],
      errors: [EncodingError],
      run: (bytes) => ({ again: encodeDecision(decodeDecision(bytes)) }),
      reaches: [
        'taken',
        ...['integer too large', 'unknown word', 'no UTF-N', 'part N has'].map((why) => malformed + why),
      ],
    },
    ...records(share),
    ...files(),
  ]
}

/** What the store reads, each by its own reader: the body with a right code, and the whole record without one. */
function records(share: Uint8Array): Decoder[] {
  const hash = new Uint8Array(32).fill(3)
  const running = enc(u64(1), u32(0), u8(1))
  const readers: readonly [
    string,
    string,
    Uint8Array,
    (vault: ReturnType<typeof vaultWith>) => Promise<unknown>,
  ][] = [
    ['cursor', KEY.cursor, enc(u64(7), hash), readCursor],
    ['running', KEY.running, running, readRunning],
    ['boot', KEY.boot, enc(u64(7)), nextBoot],
    ['ceremony', KEY.ceremony(1), enc(u64(1), utf8('keygen'), u64(0), u64(9), hash, u32(40)), listCeremonies],
    ['share', KEY.share(1, 0), share, (vault) => readShareRecord(vault, SLOT)],
    ['retired', KEY.retired(1, 0), enc(utf8('burned')), listRetired],
    ['evidence', KEY.evidence('00'), enc(hash), listEvidence],
    ['decision', KEY.decision(1), enc(u64(1), hash, utf8('vetoed')), (vault) => readDecision(vault, 1)],
    [
      'watched',
      KEY.watched(5, MEMBER),
      enc(u64(9)),
      (vault) => watchedFrom(vault, { chainId: 5, bridge: MEMBER }, 1),
    ],
    ['peer', KEY.peer(MEMBER), enc(utf8('/ip4/127.0.0.1/tcp/1')), listPeers],
    ['sealed', KEY.sealed(1, 0), enc(enc(u32(0), new Uint8Array(72))), (vault) => loadShares(vault, SLOT)],
    [
      'schema',
      KEY.schema,
      enc(u32(1), u64(IDENTITY.chainId), new Uint8Array(20), new Uint8Array(20)),
      (vault) => checkOwner(vault, IDENTITY),
    ],
  ]
  return readers.map(([name, key, sample, read]) => ({
    name: `disk: ${name}`,
    covers: ['store/records.ts#Records'],
    weight: 0.1,
    // The first byte says whether the record's code is made right.
    samples: [concat(u8(1), sample), concat(u8(0), enc(sample, new Uint8Array(32)))],
    structured: (dice) => {
      const coded = dice.oneIn(2)
      const body = concat(sample.subarray(0, dice.below(sample.length)), dice.bytes(dice.below(20)))
      return concat(u8(coded ? 1 : 0), coded ? body : enc(body, dice.bytes(32)))
    },
    errors: [StoreError],
    run: async (bytes) => {
      await read(vaultWith(key, bytes.subarray(1), bytes[0] === 1))
      return { value: 'read' }
    },
    reaches: ['StoreError: ', ...(['sealed', 'schema'].includes(name) ? [] : ['read'])],
  }))
}

function files(): Decoder[] {
  const folder = mkdtempSync(join(tmpdir(), 'truss-fuzz-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, bytes: Uint8Array) => {
    const file = join(folder, name)
    writeFileSync(file, bytes)
    return file
  }
  const settings = `chainId: 31337
bridge: "0x${'b1'.repeat(20)}"
rpcUrls: ["http://127.0.0.1:8545"]
dataDirectory: data
keystore: keystore.json
listen: [/ip4/127.0.0.1/tcp/9700]
aliases:
  "0x${'22'.repeat(20)}": anna
`
  const lines = [
    ...settings.split('\n'),
    'rpcUrls: *nowhere',
    'aliases: &all {a: *all}',
    '- list',
    'chainId: [1]',
    'bootstrap: {}',
    '%TAG ! x',
    '? {a: b} : c',
    '<<: *x',
    'keystore: !!binary aGk=',
  ]
  const keystore = {
    version: 3,
    address: '22'.repeat(20),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: 'ab'.repeat(32),
      cipherparams: { iv: 'cd'.repeat(16) },
      kdf: 'scrypt',
      kdfparams: { salt: 'ef', n: 1024, r: 8, p: 1, dklen: 32 },
      mac: 'ab'.repeat(32),
    },
  }
  return [
    {
      name: 'configuration file',
      covers: ['config.ts#loadConfig', 'config.ts#loadBootnodeConfig', 'config.ts#loadToolConfig'],
      weight: 0.02,
      samples: [utf8(settings)],
      structured: (dice) => utf8(Array.from({ length: dice.below(10) }, () => dice.pick(lines)).join('\n')),
      errors: [ConfigError],
      run: (bytes) => {
        const file = write('truss.yaml', bytes)
        const load =
          [loadConfig, loadConfig, loadToolConfig, loadBootnodeConfig][bytes.length % 4] ?? loadConfig
        return { value: load({ file, env: {} }).logLevel === undefined ? 'mute' : 'read' }
      },
      reaches: ['read', 'ConfigError: read configuration', 'ConfigProblems: configuration'],
    },
    {
      name: 'keystore file',
      covers: ['chain/keystore.ts#keystoreAddress'],
      weight: 0.02,
      samples: [utf8(JSON.stringify(keystore))],
      structured: (dice) => utf8(JSON.stringify(bentValue(dice, keystore))),
      errors: [ConfigError],
      run: async (bytes) => ({
        value: (await keystoreAddress(write('keystore.json', bytes))) === null ? 'none' : 'read',
      }),
      reaches: ['read', 'none', 'ConfigError: open keystore'],
    },
  ]
}
