// The operator's keystore: an Ethereum keystore file, version 3 (Web3 Secret Storage), sealed and opened with a password.
import { readFile } from 'node:fs/promises'
import { computeAddress, decryptKeystoreJson, encryptKeystoreJson, isError } from 'ethers'
import { z } from 'zod'
import { type Address, fromHex, to0x, toAddress } from '../lib/bytes.ts'
import { ConfigError } from '../lib/errors.ts'
import { Secret } from '../lib/secret.ts'

/** The parts that every keystore of version 3 has, in either spelling of `crypto`. */
const keystoreSchema = z.object({
  version: z.literal([3, '3']),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    ciphertext: z.string().regex(/^(0x)?[0-9a-f]{64}$/i),
    cipherparams: z.object({ iv: z.string() }),
    kdf: z.string().regex(/^(scrypt|pbkdf2)$/i),
    kdfparams: z.object({ salt: z.string() }),
    mac: z.string().regex(/^(0x)?[0-9a-f]{64}$/i),
  }),
})

/** scrypt's cost; only tests and devnets lower it. */
export interface SealOptions {
  /** Power of two; 2^17 by default. */
  readonly scryptN?: number
}

/** Keystore JSON of a 32-byte private key. */
export async function sealKeystore(
  key: Secret,
  password: Secret,
  options: SealOptions = {},
): Promise<string> {
  const privateKey = to0x(key.expose())
  const account = { address: computeAddress(privateKey), privateKey }
  return encryptKeystoreJson(account, password.expose(), {
    ...(options.scryptN === undefined ? {} : { scrypt: { N: options.scryptN } }),
  })
}

/**
 * The private key in a keystore file; 32 bytes, the caller wipes it.
 * @throws ConfigError if the file cannot be read, is no keystore, is damaged, or the password is wrong
 */
export async function openKeystore(file: string, password: Secret): Promise<Secret> {
  const json = await readKeystore(file)
  try {
    const { privateKey } = await decryptKeystoreJson(json, password.expose())
    return new Secret(fromHex(privateKey))
  } catch (error) {
    if (isError(error, 'INVALID_ARGUMENT') && error.argument === 'password')
      throw new ConfigError(`open keystore ${file}: the password is wrong`, {
        hint: 'give the password that the keystore was made with, in passwordFile or TRUSS_PASSWORD',
      })
    throw damaged(file, 'its contents do not decrypt to a key')
  }
}

/** The address that a keystore file claims, without opening it; null if it names none. @throws ConfigError */
export async function keystoreAddress(file: string): Promise<Address | null> {
  const parsed = z.object({ address: z.string().optional() }).safeParse(JSON.parse(await readKeystore(file)))
  if (!parsed.success) throw damaged(file, 'its address is none')
  const { address } = parsed.data
  if (address === undefined) return null
  try {
    return toAddress(address.startsWith('0x') ? address : `0x${address}`)
  } catch {
    throw damaged(file, 'its address is none')
  }
}

/** The file's text, if it has the shape of a keystore. @throws ConfigError */
async function readKeystore(file: string): Promise<string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // CAST: what node:fs rejects with
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'this user may not read it' : code
    throw new ConfigError(`open keystore ${file}: ${reason}`, {
      hint: 'correct keystore in the configuration, or make one with `truss init`',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(file, text.trim() === '' ? 'it is empty' : 'it is truncated or no JSON')
  }
  if (typeof value !== 'object' || value === null) throw damaged(file, 'it is no keystore')
  // Older writers say Crypto.
  const spelt = Object.fromEntries(Object.entries(value).map(([name, part]) => [name.toLowerCase(), part]))
  const parsed = keystoreSchema.safeParse(spelt)
  if (!parsed.success)
    throw damaged(file, `it is no keystore of version 3 (${parsed.error.issues[0]?.path.join('.')})`)
  return text
}

function damaged(file: string, reason: string): ConfigError {
  return new ConfigError(`open keystore ${file}: ${reason}`, {
    hint: 'restore the file from your backup: an Ethereum keystore file, version 3',
  })
}
