// Texts of settings and arguments made into values; each refusal says what to do and never repeats the text.
import { resolve } from 'node:path'
import { type Address, type Hex, toAddress } from './bytes.ts'

/** The longest path of a Unix socket that the operating system takes, in bytes. */
const SOCKET_PATH_BYTES = 103

/** A parser of whole numbers from `least` to `most`, decimal digits only. `or` names what else the setting takes. */
export function whole(least: number, most: number, or = '') {
  return (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new RangeError(`must be ${or}a whole number from ${least} to ${most}`)
    return number
  }
}

/** When a majority of a committee must be needed to sign. @throws RangeError for anything but kept, yes and no */
export function majority(value: string): 'always' | 'kept' | 'never' {
  if (value === 'kept') return value
  if (!['yes', 'no', 'true', 'false'].includes(value)) throw new RangeError('must be kept, yes or no')
  return value === 'yes' || value === 'true' ? 'always' : 'never'
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

/** More than half of the endpoints, unless it is said. @throws RangeError if more than there are must agree */
export function withQuorum<T extends { rpcUrls: string[]; rpcQuorum?: number | undefined }>(config: T) {
  const { rpcUrls: urls, rpcQuorum: quorum = Math.floor(urls.length / 2) + 1 } = config
  if (quorum > urls.length)
    throw new RangeError(`rpcQuorum: ${quorum} of ${urls.length} rpcUrls: lower it or add endpoints`)
  return { ...config, rpcQuorum: quorum }
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

/** The same object, which nobody can change any more, all that it holds included. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

/** The daemon's control socket, in its data directory. @throws RangeError if the operating system takes no path so long */
export function socketPath(dataDirectory: string): string {
  const path = resolve(dataDirectory, 'truss.sock')
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES)
    throw new RangeError('dataDirectory: its path is too long for a Unix socket: choose a shorter one')
  return path
}

/** 32 bytes as 0x and 64 hex digits, lower case. @throws RangeError */
export function hash32(value: string): Hex {
  const text = value.toLowerCase()
  if (!/^0x[0-9a-f]{64}$/.test(text)) throw new RangeError('must be a hash: 0x and 64 hex digits')
  return text as Hex // CAST: the expression says so
}
