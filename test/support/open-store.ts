// Stores to test with: on a memory disk or on a real directory, always of the same operator, and an activation for them.
import { to0x } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import { activationOf } from '../../relayer/protocol/typed.ts'
import type { ActivationArgs } from '../../relayer/store/codec.ts'
import type { Database, KeyFiles } from '../../relayer/store/database.ts'
import { openLevel } from '../../relayer/store/level.ts'
import type { SignedReceipt } from '../../relayer/store/receipts.ts'
import { openStore, type Store } from '../../relayer/store/store.ts'
import { CHAIN, type Dealt, OPERATOR } from './dealt-shares.ts'
import { MemoryDisk } from './memory-database.ts'
import { scratch } from './scratch.ts'

/** A disk that can be opened again after its handles were closed. */
export interface ReopenableDisk {
  readonly name: string
  open(): Promise<{ database: Database; keyFiles: KeyFiles }>
}

/** The implementations of the ports. */
export const DISKS: readonly { name: string; make: () => ReopenableDisk }[] = [
  {
    name: 'memory',
    make: () => {
      const disk = new MemoryDisk()
      return { name: 'memory', open: async () => disk.open() }
    },
  },
  {
    name: 'LevelDB',
    make: () => {
      const directory = scratch('store')
      return { name: 'LevelDB', open: () => openLevel(directory) }
    },
  },
]

/** The operator's key of these tests, a fresh copy each time. */
export function operatorKey(byte = 5): Secret {
  return new Secret(new Uint8Array(32).fill(byte))
}

/** Opens the store of `OPERATOR` over handles of a disk. */
export function storeOver(handles: { database: Database; keyFiles: KeyFiles }): Promise<Store> {
  return openStore({ ...handles, ...CHAIN, operator: OPERATOR, operatorKey: operatorKey() })
}

/** Opens a reopenable disk, uses its store, and closes it again. */
export async function withStore<T>(disk: ReopenableDisk, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await storeOver(await disk.open())
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

/** An activation of what was dealt; signatures are none that would verify: the store does not look at them. */
export function activationArgs(dealt: Dealt, prepared: Prepared): ActivationArgs {
  return {
    activation: activationOf(dealt.spec, prepared),
    readiness: dealt.spec.next.members.map(() => to0x(new Uint8Array(65).fill(1))),
    groupSignature: to0x(new Uint8Array(52).fill(2)),
  }
}

/** A receipt of `OPERATOR`, its signature likewise. */
export function receiptFor(epoch: number, successorEpoch: number, outstandingBackups = 0): SignedReceipt {
  const signature = to0x(new Uint8Array(65).fill(3))
  return { epoch, relayer: OPERATOR, successorEpoch, outstandingBackups, signature }
}
