// What a key may be asked to sign, as a request names it: the closed list of purposes, never a digest.
import { dec, decList, enc } from '../crypto/enc.ts'
import { fromHex, to0x, toAddress, toUint, u8, u32, u64, utf8 } from '../lib/bytes.ts'
import { safe } from './nonces.ts'
import { MAX_PROBE_TEXT, type Probe, type SetGroupKey } from './typed.ts'

/** One purpose. An activation names nothing: the signer builds it from its own prepared record. */
export type Payload =
  | { readonly type: 'activation' }
  | { readonly type: 'probe'; readonly probe: Probe }
  | { readonly type: 'set-group-key'; readonly message: SetGroupKey }

/** The payload's wire form. */
export function encodePayload(payload: Payload): Uint8Array {
  switch (payload.type) {
    case 'activation':
      return enc(u8(0))
    case 'probe': {
      const { keyId, epoch, text } = payload.probe
      return enc(u8(1), u32(keyId), u64(epoch), utf8(text))
    }
    case 'set-group-key': {
      const { scheme, groupKey, destinationChainId, destinationBridge } = payload.message
      return enc(u8(2), u8(scheme), fromHex(groupKey), u64(destinationChainId), fromHex(destinationBridge))
    }
  }
}

/**
 * The payload of a wire form.
 * @throws EncodingError or RangeError if it is not one
 */
export function decodePayload(bytes: Uint8Array): Payload {
  const type = decList(bytes, 5)[0]?.[0]
  switch (type) {
    case 0:
      dec(bytes, [1])
      return { type: 'activation' }
    case 1: {
      const [, keyId, epoch, text] = dec(bytes, [1, 4, 8, -1])
      if (!keyId || !epoch || !text || text.length > MAX_PROBE_TEXT)
        throw new RangeError('decode payload: probe')
      return { type: 'probe', probe: { keyId: toUint(keyId), epoch: safe(epoch), text: textOf(text) } }
    }
    case 2: {
      const [, scheme, groupKey, chainId, bridge] = dec(bytes, [1, 1, 64, 8, 20])
      if (!scheme || !groupKey || !chainId || !bridge) throw new RangeError('decode payload: group key')
      const message = {
        scheme: toUint(scheme),
        groupKey: to0x(groupKey),
        destinationChainId: safe(chainId),
        destinationBridge: toAddress(bridge),
      }
      return { type: 'set-group-key', message }
    }
    default:
      throw new RangeError('decode payload: unknown type')
  }
}

/** @throws RangeError for bytes that are no UTF-8 */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new RangeError('decode payload: no UTF-8', { cause })
  }
}
