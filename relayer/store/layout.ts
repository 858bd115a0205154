// The disk on one page: every key of the database and every key file, what each holds, and the schema version.
import type { Address } from '../lib/bytes.ts'

/**
 * Version of everything below. A change of format raises it, comes with a migration, and is marked in CHANGELOG.md.
 * Every value is `enc(body, mac)`, the code over the record's own key and body under a key derived from the operator's;
 * bodies are `enc` too. Numbers in keys are decimal, padded with zeros, so that their order is that of the numbers.
 *
 *  key                            value (body)
 *  schema                         version, chain id, bridge, operator: whose directory this is (checked before all else)
 *  boot                           count of starts
 *  cursor                         number and hash of the last final block that was followed
 *  ceremony/<epoch>               what governance asked for: kind, predecessor, start block and its hash, window
 *  marker/<epoch>/<attempt>       session id of an attempt that was joined; written before its first byte leaves
 *  share/<epoch>/<attempt>        public part of a share set: session, transcript, committee, own index, keys
 *  sealed/<epoch>/<attempt>       its secret part, one sealed share per key; written once, with `share`
 *  seen/<epoch>/<attempt>         this activation was signed for or seen signed: its share outlives a burn; until the next one
 *  retired/<epoch>/<attempt>      the share set is to be erased: why
 *  running                        epoch and attempt of the highest verified activation (the active pointer)
 *  activation/<epoch>             full arguments of that activation, to be sent again if the chain loses it; one at a time
 *  receipt/<epoch>/<address>      signed deletion receipt, own or received
 *  lost/<epoch>                   the operator declared the share of this epoch lost
 *  decision/<epoch>               the operator approved or vetoed this pending change: epoch, committee hash, verdict
 *  watched/<chain>/<bridge>       block from which another bridge is watched for governance that must not be there
 *  evidence/<hash>                evidence record against a member
 *  peer/<address>                 network addresses at which this member was reached
 *
 *  key file                       content
 *  keys/<epoch>-<attempt>.key     data key of a share set, wrapped under a key derived from the operator's
 */
export const SCHEMA_VERSION = 1

const EPOCH_DIGITS = 16
const ATTEMPT_DIGITS = 10

const epochPart = (epoch: number) => padded(epoch, EPOCH_DIGITS)
const attemptPart = (epoch: number, attempt: number) =>
  `${epochPart(epoch)}/${padded(attempt, ATTEMPT_DIGITS)}`

/** The keys of the table above. */
export const KEY = {
  schema: 'schema',
  boot: 'boot',
  cursor: 'cursor',
  running: 'running',
  ceremony: (epoch: number) => `ceremony/${epochPart(epoch)}`,
  marker: (epoch: number, attempt: number) => `marker/${attemptPart(epoch, attempt)}`,
  share: (epoch: number, attempt: number) => `share/${attemptPart(epoch, attempt)}`,
  sealed: (epoch: number, attempt: number) => `sealed/${attemptPart(epoch, attempt)}`,
  seen: (epoch: number, attempt: number) => `seen/${attemptPart(epoch, attempt)}`,
  retired: (epoch: number, attempt: number) => `retired/${attemptPart(epoch, attempt)}`,
  activation: (epoch: number) => `activation/${epochPart(epoch)}`,
  receipt: (epoch: number, relayer: Address) => `receipt/${epochPart(epoch)}/${relayer}`,
  lost: (epoch: number) => `lost/${epochPart(epoch)}`,
  decision: (epoch: number) => `decision/${epochPart(epoch)}`,
  watched: (chainId: number, bridge: Address) => `watched/${epochPart(chainId)}/${bridge}`,
  evidence: (hash: string) => `evidence/${hash}`,
  peer: (address: Address) => `peer/${address}`,
} as const

/** Prefixes of the keys that come in families; `/` ends each, so that no prefix begins another. */
export const PREFIX = {
  ceremony: 'ceremony/',
  marker: 'marker/',
  share: 'share/',
  sealed: 'sealed/',
  seen: 'seen/',
  retired: 'retired/',
  activation: 'activation/',
  receipt: 'receipt/',
  lost: 'lost/',
  decision: 'decision/',
  evidence: 'evidence/',
  peer: 'peer/',
} as const

/** The prefix of one epoch's records in a family. */
export function ofEpoch(prefix: string, epoch: number): string {
  return `${prefix}${epochPart(epoch)}/`
}

/** Epoch and attempt of a key `family/<epoch>/<attempt>`; the attempt is 0 for a key `family/<epoch>`. */
export function numbersOf(key: string): { epoch: number; attempt: number } {
  const [, epoch, attempt] = key.split('/')
  return { epoch: Number(epoch), attempt: Number(attempt ?? 0) }
}

/** Name of the file that holds the data key of a share set. */
export function keyFileName(epoch: number, attempt: number): string {
  return `${epoch}-${attempt}.key`
}

function padded(value: number, digits: number): string {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`name record: ${value} is no number of its kind`)
  return String(value).padStart(digits, '0')
}
