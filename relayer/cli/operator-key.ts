// Unlocks the operator's key: the keystore that the configuration names, with the password that it names.
import type { Config } from '../config.ts'
import type { Secret } from '../lib/secret.ts'
import type { Io } from './io.ts'
import { readPassword } from './password.ts'

/** The 32-byte operator key. @throws ConfigError if the keystore or the password is absent, unreadable or wrong */
export async function openOperatorKey(
  io: Io,
  config: Pick<Config, 'keystore' | 'passwordFile'>,
): Promise<Secret> {
  const { openKeystore } = await import('../chain/keystore.ts')
  const password = await readPassword(io, config.passwordFile)
  try {
    return await openKeystore(config.keystore, password)
  } finally {
    password.wipe()
  }
}
