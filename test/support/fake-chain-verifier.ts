// The signature checks of the bridge, for a fake chain that is told to make them.
import { addressOf, recover } from '../../relayer/crypto/identity.ts'
import { concat, fromHex } from '../../relayer/lib/bytes.ts'
import {
  activationDigest,
  activationHash,
  type Domain,
  readinessDigest,
  receiptDigest,
} from '../../relayer/protocol/typed.ts'
import type { Verifier } from './fake-bridge-state.ts'

/** Verifies a signature of a frost-secp256k1-evm key: 64-byte x ‖ y, 32-byte digest, 52-byte z ‖ a. */
export type SchnorrVerify = (groupKey: Uint8Array, digest: Uint8Array, signature: Uint8Array) => boolean

/** Checks of the bridge of a domain. */
export function bridgeVerifier(domain: Domain, verifySchnorr: SchnorrVerify): Verifier {
  return {
    readiness: (activation, relayer, signature) =>
      recover(readinessDigest(domain, activationHash(activation), relayer), fromHex(signature)) === relayer,
    receipt: (receipt) =>
      recover(receiptDigest(domain, receipt), fromHex(receipt.signature)) === receipt.relayer,
    group: (activation, { scheme, groupKey }, signature) => {
      const digest = activationDigest(domain, activation)
      const key = fromHex(groupKey)
      if (scheme === 1) return verifySchnorr(key, digest, fromHex(signature))
      return scheme === 0 && recover(digest, fromHex(signature)) === addressOf(concat(Uint8Array.of(4), key))
    },
  }
}
