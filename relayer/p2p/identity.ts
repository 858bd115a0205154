// PeerIds and addresses: a secp256k1 PeerId carries its public key, whose hash is the address on chain.
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { addressOf } from '../crypto/identity.ts'
import type { Address } from '../lib/bytes.ts'
import { ConfigError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'

/** The libp2p form of a 32-byte operator key. @throws ConfigError if it is no secp256k1 key */
export function libp2pKey(privateKey: Secret): PrivateKey {
  try {
    return privateKeyFromRaw(privateKey.expose())
  } catch (error) {
    throw new ConfigError('read the operator key: it is no secp256k1 private key of 32 bytes', {
      cause: error,
    })
  }
}

/** The PeerId of an operator key, `16Uiu2HA...`. */
export function peerIdOf(privateKey: Secret): string {
  return peerIdFromPrivateKey(libp2pKey(privateKey)).toString()
}

const known = new Map<string, Address>()
const KNOWN_AT_MOST = 4096

/** The address behind a PeerId, or null for one that carries no secp256k1 key. */
export function addressOfPeer(peer: PeerId): Address | null {
  if (peer.type !== 'secp256k1') return null
  const text = peer.toString()
  let address = known.get(text)
  if (address === undefined) {
    address = addressOf(peer.publicKey.raw)
    if (known.size >= KNOWN_AT_MOST) known.clear()
    known.set(text, address)
  }
  return address
}

/** The address behind a PeerId in text, or null if it is none or carries no secp256k1 key. */
export function addressOfPeerText(text: string): Address | null {
  try {
    return addressOfPeer(peerIdFromString(text))
  } catch {
    return null
  }
}
