// Verifies probes with what is not ours: the contract (key 0), noble (BIP340), node:crypto (ed25519).
import { createPublicKey, verify } from 'node:crypto'
import { schnorr } from '@noble/curves/secp256k1.js'
import { type Contract, getBytes, TypedDataEncoder } from 'ethers'

/** A probe as `truss sign-probe --json` prints it. */
export interface Probe {
  readonly keyId: number
  readonly scheme: string
  readonly epoch: number
  readonly text: string
  readonly groupKey: string
  readonly signature: string
  /** Addresses of the members that signed. */
  readonly quorum: readonly string[]
}

/** The EIP-712 digest of a probe, computed by ethers. */
export function probeDigest(probe: Probe, domain: { chainId: number; bridge: string }): string {
  return TypedDataEncoder.hash(
    { name: 'Bridge', version: '3.1.0', chainId: domain.chainId, verifyingContract: domain.bridge },
    {
      Probe: [
        { name: 'keyId', type: 'uint32' },
        { name: 'epoch', type: 'uint64' },
        { name: 'text', type: 'string' },
      ],
    },
    { keyId: probe.keyId, epoch: probe.epoch, text: probe.text },
  )
}

/** Whether the signature verifies under the group key. */
export async function verifyProbe(probe: Probe, chainId: number, bridge: Contract): Promise<boolean> {
  const digest = probeDigest(probe, { chainId, bridge: await bridge.getAddress() })
  const signature = getBytes(probe.signature)
  const groupKey = getBytes(probe.groupKey)
  switch (probe.scheme) {
    case 'frost-secp256k1-evm':
      return (await bridge.getFunction('verifyGroupSignature')(digest, signature)) === true
    case 'frost-secp256k1-bip340':
      return schnorr.verify(signature, getBytes(digest), groupKey.subarray(0, 32))
    case 'frost-ed25519': {
      const x = Buffer.from(groupKey).toString('base64url')
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      return verify(null, getBytes(digest), key, signature)
    }
    default:
      throw new Error(`verify probe: no verifier for ${probe.scheme}`)
  }
}
