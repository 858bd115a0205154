// A signed activation that came from somewhere: checked as the contract will check it, so that it may be passed on and sent.
import { setImmediate } from 'node:timers/promises'
import { recover } from '../crypto/identity.ts'
import { verifySignature } from '../crypto/schnorr.ts'
import { equal, fromHex } from '../lib/bytes.ts'
import { committeeHash } from '../protocol/party.ts'
import { type CeremonySpec, keysOf } from '../protocol/spec.ts'
import { type Activation, activationDigest, activationHash, readinessDigest } from '../protocol/typed.ts'
import type { ActivationArgs } from '../store/codec.ts'

/** Signatures that are verified in one turn of the event loop. */
const TURN = 16

/** Everything that `activate` takes: readiness of every new member and key 0's signature. */
export type SignedActivation = ActivationArgs

/**
 * Why an activation with its signatures would not activate this ceremony's epoch, or null if it would: epoch, committee,
 * every key once and unchanged, readiness of every new member, and key 0's signature, in a keygen under the new key.
 */
export async function activationFault(spec: CeremonySpec, args: SignedActivation): Promise<string | null> {
  const { activation, readiness, groupSignature } = args
  const fault = contentFault(spec, activation)
  if (fault !== null) return fault
  const members = spec.next.members
  if (readiness.length !== members.length)
    return `${readiness.length} readiness signatures for ${members.length} members`
  const key0 = keysOf(spec)[0]
  const groupKey = activation.keys[0]?.groupKey
  if (key0?.keyId !== 0 || groupKey === undefined) return 'no key 0'
  const digest = activationDigest(spec, activation)
  const key = { scheme: key0.scheme, groupKey: fromHex(groupKey) }
  if (!verifySignature(key, digest, fromHex(groupSignature))) return 'the group signature is invalid'
  const hash = activationHash(activation)
  for (const [at, member] of members.entries()) {
    // A hundred recoveries take a fifth of a second: others get a turn between them.
    if (at % TURN === TURN - 1) await setImmediate()
    const signature = fromHex(readiness[at] ?? '')
    if (recover(readinessDigest(spec, hash, member), signature) !== member)
      return `the readiness signature of ${member} is invalid`
  }
  return null
}

function contentFault(spec: CeremonySpec, activation: Activation): string | null {
  if (activation.epoch !== spec.next.epoch) return `epoch ${activation.epoch} instead of ${spec.next.epoch}`
  const committee = committeeHash(spec.chainId, spec.bridge, spec.next)
  if (!equal(fromHex(activation.committeeHash), committee)) return 'another committee'
  const keys = keysOf(spec)
  if (activation.keys.length !== keys.length)
    return `${activation.keys.length} keys instead of ${keys.length}`
  for (const [at, key] of keys.entries()) {
    const record = activation.keys[at]
    if (record?.keyId !== key.keyId) return `key ${key.keyId} is missing`
    const held = spec.held.find(({ keyId }) => keyId === key.keyId)
    if (held !== undefined && !equal(fromHex(record.groupKey), held.groupKey))
      return `another group key for key ${key.keyId}`
  }
  return null
}
