// The fuzzer's decoders of the disk: the bodies of records, the configuration and the keystore.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keystoreAddress } from '../../relayer/chain/keystore.ts'
import {
  ConfigProblems,
  FIELDS,
  loadBootnodeConfig,
  loadConfig,
  loadToolConfig,
} from '../../relayer/config.ts'
import { EncodingError } from '../../relayer/crypto/enc.ts'
import { to0x, utf8 } from '../../relayer/lib/bytes.ts'
import { ConfigError } from '../../relayer/lib/errors.ts'
import { activationOf } from '../../relayer/protocol/typed.ts'
import {
  decodeActivation,
  decodeShareRecord,
  encodeActivation,
  encodeShareRecord,
} from '../../relayer/store/codec.ts'
import { decodeDecision, encodeDecision } from '../../relayer/store/decisions.ts'
import { decodeReceipt, encodeReceipt } from '../../relayer/store/receipts.ts'
import { scratch } from '../support/scratch.ts'
import type { Decoder } from './fuzz-engine.ts'
import { bentValue } from './fuzz-structure.ts'
import type { Samples } from './fuzz-samples.ts'

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
    relayer: spec.next.members[0] ?? '0x',
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
    ...files(),
  ]
}

function files(): Decoder[] {
  const folder = scratch('fuzz')
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
  const own = `otherBridges: [{ chainId: 31337, bridge: "0x${'b1'.repeat(20)}", rpcUrls: [http://127.0.0.1:1] }]`
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
    'rpcQuorum: 9',
    own,
    own.replace('31337', '5'),
    `dataDirectory: ${'d'.repeat(120)}`,
    'logLevel: loud',
    ...Object.keys(FIELDS).flatMap((name) =>
      ['2', 'yes', 'finalized', ''].map((value) => `${name}: ${value}`),
    ),
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
      fewest: 1500,
      covers: ['config.ts#loadConfig', 'config.ts#loadBootnodeConfig', 'config.ts#loadToolConfig'],
      weight: 0.02,
      samples: [
        settings,
        settings + own,
        `${settings}rpcQuorum: 3`,
        `${settings}logLevel: loud`,
        settings.replace('data\n', `${'d'.repeat(120)}\n`),
        settings.replace(/rpcUrls.*/, 'rpcUrls: x'),
        // The length says which of the loaders reads it.
      ].flatMap((text) => ['', ' ', '  ', '   '].map((end) => utf8(text + end))),
      structured: (dice) => {
        const more = Array.from({ length: dice.below(10) }, () => dice.pick(lines))
        return utf8((dice.oneIn(3) ? [settings, ...more] : more).join('\n'))
      },
      errors: [ConfigError],
      run: (bytes) => {
        const file = write('truss.yaml', bytes)
        const load =
          [loadConfig, loadConfig, loadToolConfig, loadBootnodeConfig][bytes.length % 4] ?? loadConfig
        try {
          load({ file, env: {} })
          return { value: 'read' }
        } catch (error) {
          // Of many problems one, and without the file's name.
          if (error instanceof ConfigProblems)
            error.message = error.problems[bytes.length % error.problems.length]?.replace(file, 'FILE') ?? ''
          throw error
        }
      },
      reaches: [
        'read',
        'ConfigError: read configuration',
        ...[
          'logLevel: must be one of',
          'otherBridges: one of them is the governance bridge',
          'rpcQuorum: N of N rpcUrls',
          'dataDirectory: its path is too long',
          'chainId: is missing',
          'rpcUrls: must be a list',
        ].map((why) => `ConfigProblems: configuration (FILE): ${why}`),
      ],
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
