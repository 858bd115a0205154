// `truss init`: an operator's keystore, password file, data directory and commented configuration; prints what comes next.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import type { FieldName } from '../config.ts'
import { to0x } from '../lib/bytes.ts'
import { ConfigError } from '../lib/errors.ts'
import { Secret } from '../lib/secret.ts'
import { multiaddr, multiaddrWithPeer, rpcUrl, whole } from '../lib/settings.ts'
import { checkedAddress, makeDirectory } from './argument-checks.ts'
import { argument, columns, contextOf, repeated, show } from './command.ts'
import type { Io } from './io.ts'

interface InitOptions {
  readonly directory: string
  readonly import?: string
  readonly passwordFile?: string
  readonly chainId?: number
  readonly bridge?: string
  readonly rpc?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly listen?: readonly string[]
  readonly announce?: readonly string[]
}

export function initCommand(io: Io): Command {
  return new Command('init')
    .description('make the key and the configuration of a new relayer; nothing that exists is overwritten')
    .option('-d, --directory <path>', 'where the files go', '.')
    .option('--import <file>', 'use the key of this keystore file (version 3) instead of a new one')
    .option(
      '--password-file <file>',
      "file that holds the keystore's password; by default one is made at random",
    )
    .option('--chain-id <number>', 'id of the governance chain', argument(whole(1, Number.MAX_SAFE_INTEGER)))
    .option('--bridge <address>', 'the bridge on the governance chain', argument(checkedAddress))
    .option('--rpc <url>', 'RPC endpoint; may be given several times', repeated(rpcUrl))
    .option(
      '--bootstrap <multiaddr>',
      'bootnode with its PeerId; may be given several times',
      repeated(multiaddrWithPeer),
    )
    .option('--listen <multiaddr>', 'where to listen for other relayers', repeated(multiaddr))
    .option('--announce <multiaddr>', 'under which address others reach it', repeated(multiaddr))
    .action(async (options: InitOptions, command: Command) => {
      const context = contextOf(io, command)
      const made = await init(options, io)
      show(context, made, [
        ...columns([
          ['address', made.address],
          ['PeerId', made.peerId],
          ['keystore', made.keystore],
          ['password', made.passwordFile ?? 'from TRUSS_PASSWORD or the terminal'],
          ['configuration', made.config],
        ]),
        '',
        `Next: ${made.next}`,
      ])
    })
}

async function init(options: InitOptions, io: Io) {
  const directory = resolve(options.directory)
  const config = join(directory, 'truss.yaml')
  const keystore = join(directory, 'keystore.json')
  for (const file of [config, keystore])
    if (existsSync(file))
      throw new ConfigError(`make ${file}: it exists already`, {
        hint: 'choose another --directory, or move the file away',
      })
  const [{ signerOf }, { peerIdOf }, { openKeystore, sealKeystore }, { renderConfig }] = await Promise.all([
    import('../crypto/identity.ts'),
    import('../p2p/identity.ts'),
    import('../chain/keystore.ts'),
    import('./config-file.ts'),
  ])
  const { password, passwordFile } = await choosePassword(options, { io, directory })
  const key = await chooseKey(options, password, openKeystore)
  const signer = signerOf(key)
  const peerId = peerIdOf(key)
  const sealed =
    options.import === undefined ? await sealKeystore(key, password) : readFileSync(options.import, 'utf8')

  makeDirectory(join(directory, 'data'), 0o700)
  writePrivate(keystore, sealed)
  if (passwordFile?.made === true)
    writePrivate(passwordFile.path, new TextDecoder().decode(password.expose()))
  password.wipe()
  key.wipe()
  const values = settingsOf(options, passwordFile?.made === true ? 'password' : passwordFile?.path)
  writeFileSync(config, renderConfig(values), { flag: 'wx', mode: 0o644 })
  const missing = (['chainId', 'bridge', 'rpcUrls', 'bootstrap'] as const).filter((name) => !(name in values))
  const next =
    missing.length > 0
      ? `set ${missing.join(', ')} in ${config}, then run: truss config check --config ${config}`
      : `fund ${signer.address}, run truss start --config ${config}, then ask governance to add the address`
  return {
    address: signer.address,
    publicKey: to0x(signer.publicKey),
    peerId,
    config,
    keystore,
    passwordFile: passwordFile?.path ?? null,
    dataDirectory: join(directory, 'data'),
    next,
  }
}

interface PasswordFile {
  readonly path: string
  /** Whether it is still to be written. */
  readonly made: boolean
}

/** The password that is given; without one, for a new key, a random one that goes into a file of its own. */
async function choosePassword(
  options: InitOptions,
  { io, directory }: { io: Io; directory: string },
): Promise<{ password: Secret; passwordFile: PasswordFile | null }> {
  const { GIVE_PASSWORD, readPassword } = await import('./password.ts')
  const given = options.passwordFile
  if (given !== undefined)
    return { password: await readPassword(io, given), passwordFile: { path: resolve(given), made: false } }
  if (io.env.TRUSS_PASSWORD !== undefined || options.import !== undefined)
    return { password: await readPassword(io, undefined, GIVE_PASSWORD), passwordFile: null }
  const path = join(directory, 'password')
  if (existsSync(path))
    throw new ConfigError(`make ${path}: it exists already`, { hint: 'use it with --password-file' })
  const { systemRng } = await import('../crypto/rng.ts')
  const text = Buffer.from(systemRng(24)).toString('base64url')
  return { password: new Secret(new Uint8Array(Buffer.from(text))), passwordFile: { path, made: true } }
}

async function chooseKey(
  options: InitOptions,
  password: Secret,
  open: (file: string, password: Secret) => Promise<Secret>,
): Promise<Secret> {
  if (options.import !== undefined) return open(options.import, password)
  const { systemRng } = await import('../crypto/rng.ts')
  return new Secret(systemRng(32))
}

function settingsOf(options: InitOptions, passwordFile: string | undefined) {
  const values: Partial<Record<FieldName, string | number | readonly string[]>> = {
    dataDirectory: 'data',
    keystore: 'keystore.json',
  }
  if (options.chainId !== undefined) values.chainId = options.chainId
  if (options.bridge !== undefined) values.bridge = options.bridge
  if (options.rpc !== undefined) values.rpcUrls = options.rpc
  if (options.bootstrap !== undefined) values.bootstrap = options.bootstrap
  if (options.listen !== undefined) values.listen = options.listen
  if (options.announce !== undefined) values.announce = options.announce
  if (passwordFile !== undefined) values.passwordFile = passwordFile
  return values
}

function writePrivate(path: string, content: string): void {
  writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
  chmodSync(path, 0o600)
}
