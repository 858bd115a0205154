// Addresses and directories as the command line takes them: a typo, or a file in the way, is said before anything is done.
import { mkdirSync } from 'node:fs'
import { keccak256 } from '../crypto/hash.ts'
import { type Address, to0x, utf8 } from '../lib/bytes.ts'
import { ConfigError, pathFault } from '../lib/errors.ts'
import { address } from '../lib/settings.ts'

/**
 * An account address, lower case. One that is written in mixed case carries a checksum (EIP-55), which catches a typo.
 * @throws RangeError
 */
export function checkedAddress(value: string): Address {
  const plain = address(value)
  const digits = value.slice(2)
  const mixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  if (mixed && digits !== checksummed(plain.slice(2)))
    throw new RangeError(
      'its checksum (EIP-55) is wrong: a digit or a letter case was changed: copy the address again',
    )
  return plain
}

/** Letters whose place in the hash of the whole is 8 or more are upper case. */
function checksummed(digits: string): string {
  const hash = to0x(keccak256(utf8(digits))).slice(2)
  return digits.replaceAll(/[a-f]/g, (letter, at: number) =>
    /[89a-f]/.test(hash.charAt(at)) ? letter.toUpperCase() : letter,
  )
}

/** Makes a directory that files are written to. @throws ConfigError where there can be none */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { recursive: true, mode })
  } catch (cause) {
    const fault = pathFault(cause, 'it cannot be made')
    throw new ConfigError(`make ${path}: ${fault}`, { hint: 'choose another --directory', cause })
  }
}
