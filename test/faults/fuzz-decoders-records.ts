// The fuzzer's decoders of stored records and key files: each through the store's own reader, on a disk that is sound otherwise.
import { decList, enc } from '../../relayer/crypto/enc.ts'
import { concat, to0x, u32, u64, u8, utf8 } from '../../relayer/lib/bytes.ts'
import { StoreError } from '../../relayer/lib/errors.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { activationOf } from '../../relayer/protocol/typed.ts'
import { lastJoined, listCeremonies, readCursor } from '../../relayer/store/ceremonies.ts'
import { encodeActivation } from '../../relayer/store/codec.ts'
import type { Database, KeyFiles } from '../../relayer/store/database.ts'
import { encodeDecision, readDecision, watchedFrom } from '../../relayer/store/decisions.ts'
import { listRetired, readActivation, readActiveShare, readRunning } from '../../relayer/store/epochs.ts'
import { listEvidence } from '../../relayer/store/evidence.ts'
import { KEY, keyFileName } from '../../relayer/store/layout.ts'
import { listLost } from '../../relayer/store/lost.ts'
import { checkOwner, nextBoot } from '../../relayer/store/owner.ts'
import { listPeers } from '../../relayer/store/peerbook.ts'
import { encodeReceipt, listReceipts } from '../../relayer/store/receipts.ts'
import { Records } from '../../relayer/store/records.ts'
import { Sealer } from '../../relayer/store/sealing.ts'
import {
  listShares,
  loadShares,
  readShareRecord,
  savePrepared,
  type Vault,
} from '../../relayer/store/shares.ts'
import type { Decoder } from './fuzz-engine.ts'
import type { Samples } from './fuzz-samples.ts'

type FullVault = Vault & { database: Database }

/** What a disk holds: records by key, and key files by name. */
interface Disk {
  readonly records: Map<string, Uint8Array>
  readonly files: Map<string, Uint8Array>
}

/** What a reader gives that goes on without the damaged record. */
const PASSED_OVER = 'passed over'

/** One thing on a disk, and who reads it. */
interface Reader {
  readonly name: string
  /** The exported function that reads, as `file#name` below relayer/store. */
  readonly covers: readonly string[]
  /** A record's key, or the name of a key file. */
  readonly at: string
  readonly read: (vault: FullVault) => Promise<unknown>
  readonly reaches?: readonly string[]
  /** Another valid body, out of the one that is there. */
  readonly also?: (body: Uint8Array) => Uint8Array
}

export async function recordDecoders({ keygen }: Samples): Promise<Decoder[]> {
  const { prepared, spec } = keygen
  const [operator = '0x'] = spec.next.members
  const { epoch, attempt } = prepared
  const slot = { epoch, attempt }
  const operatorKey = new Secret(new Uint8Array(32).fill(5))
  const identity = { chainId: spec.chainId, bridge: spec.bridge, operator }
  const vaultOf = ({ records: stored, files }: Disk): FullVault => {
    const database: Database = {
      get: async (key) => stored.get(key),
      entries: async (prefix) => [...stored].filter(([key]) => key.startsWith(prefix)),
      keys: async (prefix) => [...stored.keys()].filter((key) => key.startsWith(prefix)),
      batch: async (ops) => {
        for (const op of ops) if (op.type === 'put') stored.set(op.key, op.value)
      },
      compact: async () => {},
      close: async () => {},
    }
    const keyFiles: KeyFiles = {
      write: async (name, bytes) => void files.set(name, bytes),
      read: async (name) => files.get(name),
      destroy: async () => {},
      list: async () => [...files.keys()],
    }
    const records = new Records(database, operatorKey)
    const sealer = new Sealer(identity, operatorKey, (length) => new Uint8Array(length).fill(7))
    return { database, identity, records, sealer, keyFiles }
  }

  const hash = new Uint8Array(32).fill(3)
  const sound: Disk = { records: new Map(), files: new Map() }
  const vault = vaultOf(sound)
  await checkOwner(vault, identity)
  await savePrepared(vault, spec, prepared)
  await nextBoot(vault)
  const { records } = vault
  const activation = activationOf(spec, prepared)
  const readiness = spec.next.members.map(() => to0x(new Uint8Array(65).fill(1)))
  const receipt = {
    epoch,
    relayer: operator,
    successorEpoch: 2,
    outstandingBackups: 0,
    signature: readiness[0] ?? '0x',
  }
  await records.commit(
    records.put(KEY.running, enc(u64(epoch), u32(attempt), u8(1))),
    records.put(KEY.cursor, enc(u64(7), hash)),
    records.put(KEY.ceremony(1), enc(u64(1), utf8('keygen'), u64(0), u64(9), hash, u32(40))),
    records.put(KEY.marker(1, 0), enc(hash)),
    records.put(KEY.retired(1, 1), enc(utf8('burned'))),
    records.put(
      KEY.activation(epoch),
      encodeActivation({ activation, readiness, groupSignature: to0x(hash) }),
    ),
    records.put(KEY.receipt(epoch, operator), encodeReceipt(receipt)),
    records.put(KEY.lost(9), enc()),
    records.put(KEY.evidence('00'), enc(hash)),
    records.put(KEY.decision(2), encodeDecision({ epoch: 2, committeeHash: hash, verdict: 'vetoed' })),
    records.put(KEY.watched(10, operator), enc(u64(7))),
    records.put(KEY.peer(operator), enc(utf8('/ip4/127.0.0.1/tcp/1'))),
  )
  const load = (full: Vault) => loadShares(full, slot)
  const unreadable = [
    'is damaged or was sealed for another place',
    'is missing',
    'its key file is damaged, or was written with another operator key',
  ]
  const of = (why: string) => `StoreError: load share of epoch N attempt N: ${why}`
  const readers: Reader[] = [
    { name: 'cursor', covers: ['ceremonies.ts#readCursor'], at: KEY.cursor, read: readCursor },
    { name: 'running', covers: ['epochs.ts#readRunning'], at: KEY.running, read: readRunning },
    { name: 'active share', covers: ['epochs.ts#readActiveShare'], at: KEY.running, read: readActiveShare },
    { name: 'boot', covers: ['owner.ts#nextBoot'], at: KEY.boot, read: nextBoot },
    { name: 'ceremony', covers: ['ceremonies.ts#listCeremonies'], at: KEY.ceremony(1), read: listCeremonies },
    {
      name: 'marker',
      covers: ['ceremonies.ts#lastJoined'],
      at: KEY.marker(1, 0),
      read: (full) => lastJoined(full, 1),
      reaches: ['read'],
    },
    {
      name: 'share',
      covers: ['shares.ts#readShareRecord', 'shares.ts#listShares'],
      at: KEY.share(epoch, attempt),
      read: async (full) => [await readShareRecord(full, slot), await listShares(full, epoch)],
    },
    {
      name: 'sealed shares',
      covers: ['shares.ts#loadShares'],
      at: KEY.sealed(epoch, attempt),
      read: load,
      also: (body) => enc(...decList(body, 1), ...decList(body, 1)),
      reaches: [
        'StoreError: read record sealed/N/N: damaged (decode: a key twice)',
        'read',
        'StoreError: read record',
        of(`key N ${unreadable[0]}`),
        of(`key N ${unreadable[1]}`),
      ],
    },
    {
      name: 'key file',
      covers: ['shares.ts#loadShares'],
      at: keyFileName(epoch, attempt),
      read: load,
      reaches: ['read', of(unreadable[2] ?? '')],
    },
    {
      name: 'retired',
      covers: ['epochs.ts#listRetired'],
      at: KEY.retired(1, 1),
      read: async (full) => ((await listRetired(full))[0]?.reason === null ? PASSED_OVER : 'read'),
      reaches: ['read', PASSED_OVER],
    },
    {
      name: 'activation',
      covers: ['epochs.ts#readActivation'],
      at: KEY.activation(epoch),
      read: readActivation,
    },
    {
      name: 'receipts',
      covers: ['receipts.ts#listReceipts'],
      at: KEY.receipt(epoch, operator),
      read: async (full) => ((await listReceipts(full)).length === 0 ? PASSED_OVER : 'read'),
      reaches: ['read', PASSED_OVER],
    },
    { name: 'lost', covers: ['lost.ts#listLost'], at: KEY.lost(9), read: listLost, reaches: ['read'] },
    {
      name: 'evidence',
      covers: ['evidence.ts#listEvidence'],
      at: KEY.evidence('00'),
      read: async (full) => ((await listEvidence(full)).length === 0 ? PASSED_OVER : 'read'),
      reaches: ['read', PASSED_OVER],
    },
    {
      name: 'peer',
      covers: ['peerbook.ts#listPeers'],
      at: KEY.peer(operator),
      read: listPeers,
      reaches: ['read'],
    },
    {
      name: 'decision',
      covers: ['decisions.ts#readDecision'],
      at: KEY.decision(2),
      read: (full) => readDecision(full, 2),
    },
    {
      name: 'watched',
      covers: ['decisions.ts#watchedFrom'],
      at: KEY.watched(10, operator),
      read: (full) => watchedFrom(full, { chainId: 10, bridge: operator }, 9),
    },
    {
      name: 'schema',
      covers: ['owner.ts#checkOwner'],
      at: KEY.schema,
      read: (full) => checkOwner(full, identity),
    },
  ]
  return readers.map((reader) => decoderOf(reader, sound, vaultOf))
}

/** The record with a right code over other bytes, or with whatever code; a key file has none. */
function decoderOf(reader: Reader, sound: Disk, vaultOf: (disk: Disk) => FullVault): Decoder {
  const { name, covers, at, read, reaches } = reader
  const file = sound.files.get(at)
  const whole = file ?? sound.records.get(at) ?? new Uint8Array()
  // A record is `enc(body, code)`: eight bytes before its body, and 36 after it.
  const body = file === undefined ? whole.subarray(8, -36) : whole
  // The first byte says whether the code is made right.
  const coded = [body, ...(reader.also === undefined ? [] : [reader.also(body)])].map((each) =>
    concat(u8(1), each),
  )
  const samples = file === undefined ? [...coded, concat(u8(0), whole)] : [whole]
  return {
    name: `disk: ${name}`,
    covers: ['store/records.ts#Records', ...covers.map((each) => `store/${each}`)],
    weight: 0.1,
    fewest: 900,
    samples,
    structured: (dice) => {
      const changed = body.slice()
      for (let left = dice.below(3); left > 0 && changed.length > 0; left--)
        changed[dice.below(changed.length)] = dice.oneIn(2) ? dice.below(256) : dice.pick([0, 1, 0xff])
      const cut = dice.oneIn(3)
        ? concat(body.subarray(0, dice.below(body.length)), dice.bytes(dice.below(20)))
        : changed
      if (file !== undefined) return cut
      return dice.oneIn(4) ? concat(u8(0), enc(cut, dice.bytes(32))) : concat(u8(1), cut)
    },
    errors: [StoreError],
    run: async (bytes) => {
      const disk: Disk = { records: new Map(sound.records), files: new Map(sound.files) }
      const vault = vaultOf(disk)
      const rest = bytes.subarray(1)
      if (file !== undefined) disk.files.set(at, bytes)
      else if (bytes[0] === 1) await vault.records.commit(vault.records.put(at, rest))
      else disk.records.set(at, rest)
      return { value: (await read(vault)) === PASSED_OVER ? PASSED_OVER : 'read' }
    },
    reaches: reaches ?? ['StoreError: ', 'read'],
  }
}
