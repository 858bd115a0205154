// Where a keystore's password comes from: a file, TRUSS_PASSWORD, or the person at the terminal.
import { readFileSync } from 'node:fs'
import { utf8 } from '../lib/bytes.ts'
import { ConfigError } from '../lib/errors.ts'
import { Secret } from '../lib/secret.ts'
import type { Io } from './io.ts'

/** What to do where a command takes the password by an option. */
export const GIVE_PASSWORD = 'give --password-file FILE, or TRUSS_PASSWORD'

/** The password as UTF-8 bytes, without the line break that an editor leaves at the end of a file. */
export async function readPassword(
  io: Io,
  passwordFile: string | undefined,
  how = 'set passwordFile in the configuration, or TRUSS_PASSWORD',
): Promise<Secret> {
  if (passwordFile !== undefined) return checked(fromFile(passwordFile), passwordFile)
  if (io.env.TRUSS_PASSWORD !== undefined) return checked(io.env.TRUSS_PASSWORD, 'TRUSS_PASSWORD')
  if (!io.interactive)
    throw new ConfigError('unlock the keystore: no password is given', {
      hint: how,
    })
  const password = await io.askSecret('Password of the keystore: ')
  return checked(password, 'the terminal')
}

function fromFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new ConfigError(`read the password file ${file}: it cannot be read`, {
      hint: 'mend passwordFile, or its permissions (0600, owned by the user who runs the daemon)',
      cause: error,
    })
  }
}

function checked(password: string, where: string): Secret {
  if (password === '')
    throw new ConfigError(`read the password from ${where}: it is empty`, { hint: 'choose one' })
  return new Secret(utf8(password))
}
