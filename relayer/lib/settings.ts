// Texts of settings and arguments made into values; each refusal says what to do and never repeats the text.
import { type Address, toAddress } from './bytes.ts'

/** A parser of whole numbers from `least` to `most`, decimal digits only. `or` names what else the setting takes. */
export function whole(least: number, most: number, or = '') {
  return (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new RangeError(`must be ${or}a whole number from ${least} to ${most}`)
    return number
  }
}

/** @throws RangeError for anything but yes, no, true and false */
export function yesOrNo(value: string): boolean {
  if (!['yes', 'no', 'true', 'false'].includes(value)) throw new RangeError('must be yes or no')
  return value === 'yes' || value === 'true'
}

/** Any text but the empty one. @throws RangeError */
export function filled(value: string): string {
  if (value === '') throw new RangeError('is empty: give it a value or remove the line')
  return value
}

/** An account address in any case. @throws RangeError */
export function address(value: string): Address {
  try {
    return toAddress(value)
  } catch {
    throw new RangeError('must be an address: 0x and 40 hex digits')
  }
}

/** An address with its name. @throws RangeError */
export function alias([key, name]: readonly [string, string]): [Address, string] {
  if (name === '' || name === undefined) throw new RangeError(`give ${key} a name`)
  return [address(key), name]
}

/** An http or https URL. The value is not repeated in the refusal: it may carry an API key. @throws RangeError */
export function rpcUrl(value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw new RangeError('must be a URL that begins with http:// or https://')
  return value
}

/** A TCP multiaddr, with or without a PeerId. @throws RangeError */
export function multiaddr(value: string): string {
  if (!/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}(\/p2p\/\w+)?$/.test(value))
    throw new RangeError('must look like /ip4/203.0.113.7/tcp/9700 or /dns4/relayer.example.org/tcp/9700')
  return value
}

/** A TCP multiaddr that ends in a PeerId. @throws RangeError */
export function multiaddrWithPeer(value: string): string {
  if (!multiaddr(value).includes('/p2p/'))
    throw new RangeError(
      "must end in /p2p/ and the bootnode's PeerId: `truss bootnode` prints the whole address",
    )
  return value
}
