// Whose database this is: the schema record, written into an empty directory and compared ever after; and the boot counter.
import { dec, enc, EncodingError } from '../crypto/enc.ts'
import { fromHex, toAddress, u32, u64 } from '../lib/bytes.ts'
import { StoreError } from '../lib/errors.ts'
import { integer, own } from './codec.ts'
import type { Database, KeyFiles } from './database.ts'
import { KEY, SCHEMA_VERSION } from './layout.ts'
import { type Records, UNREADABLE } from './records.ts'
import type { Identity } from './sealing.ts'
import type { Vault } from './shares.ts'

/** What `checkOwner` looks at: the raw database too, since records of another operator cannot be authenticated. */
export interface Door {
  readonly database: Database
  readonly keyFiles: KeyFiles
  readonly records: Records
}

/**
 * Lets the owner in, and makes an empty directory the caller's own.
 * @throws StoreError for a directory of another operator, chain or bridge, of another schema version, or without its database
 */
export async function checkOwner(door: Door, identity: Identity): Promise<void> {
  const stored = await door.database.get(KEY.schema)
  if (stored === undefined) return claim(door, identity)
  const found = peek(stored)
  if (found.version !== SCHEMA_VERSION)
    throw new StoreError(`open store: its schema version is ${found.version}, not ${SCHEMA_VERSION}`, {
      hint: 'run the version of truss that wrote it, or one that can migrate it (CHANGELOG.md)',
    })
  const hint = 'use the data directory that belongs to this keystore and configuration, or an empty one'
  const { operator, chainId, bridge } = found
  if (operator !== identity.operator)
    throw new StoreError(
      `open store: it belongs to operator ${operator}, and the keystore is of ${identity.operator}`,
      { hint },
    )
  if (chainId !== identity.chainId || bridge !== identity.bridge)
    throw new StoreError(
      `open store: it belongs to bridge ${bridge} on chain ${chainId}, not ${identity.bridge} on ${identity.chainId}`,
      { hint },
    )
  await door.records.read(KEY.schema, () => true)
}

async function claim({ database, keyFiles, records }: Door, identity: Identity): Promise<void> {
  const others = (await database.entries('')).length
  const files = (await keyFiles.list()).length
  if (others > 0 || files > 0)
    throw new StoreError(
      `open store: no schema record, yet ${others} records and ${files} key files are there`,
      {
        hint: 'the database was lost or removed: restore it from a backup of this same epoch, or use an empty directory and `truss share declare-lost`',
      },
    )
  const { chainId, bridge, operator } = identity
  await records.commit(
    records.put(KEY.schema, enc(u32(SCHEMA_VERSION), u64(chainId), fromHex(bridge), fromHex(operator))),
  )
}

/** The schema record as it stands, its code not yet checked: enough to say whose it is. */
function peek(value: Uint8Array): Identity & { readonly version: number } {
  try {
    const [body] = dec(value, [-1, 32])
    const [version, chainId, bridge, operator] = dec(own(body), [4, 8, 20, 20])
    return {
      version: integer(version),
      chainId: integer(chainId),
      bridge: toAddress(own(bridge)),
      operator: toAddress(own(operator)),
    }
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new StoreError('open store: the schema record is damaged', { cause, hint: UNREADABLE })
  }
}

/** The next number of the boot counter, durable when it resolves; 1 at the first start. @throws StoreError */
export async function nextBoot(vault: Vault): Promise<number> {
  const before = await vault.records.read(KEY.boot, (body) => integer(dec(body, [8])[0]))
  return countBoot(vault, (before ?? 0) + 1)
}

/** Writes the boot counter, whatever stood there; durable when it resolves. */
export async function countBoot({ records }: Vault, counter: number): Promise<number> {
  await records.commit(records.put(KEY.boot, enc(u64(counter))))
  return counter
}
