// Relayers as processes of their own, made and asked by the command line, everything that they print kept.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { encryptKeystoreJson, Wallet } from 'ethers'
import { type Address, type Hex, toAddress } from '../../relayer/lib/bytes.ts'
import type { FullStatus } from '../../relayer/cli/status.ts'
import { truss } from './cli.ts'
import { ADMIN_KEY } from './hardhat-chain.ts'
import { scratchWithLogs } from './scratch.ts'
import { type Settings, writeSettings } from './settings.ts'

/** An operator with files of its own; its daemon may run or not. */
export interface Operator {
  readonly name: string
  readonly address: Address
  readonly privateKey: Hex
  readonly config: string
  readonly dataDirectory: string
}

/** Operators of one bridge in one folder. */
export class Operators {
  static readonly password = 'a password for tests only'
  readonly folder = scratchWithLogs('operators')
  /** In the order in which they were made. */
  readonly team: Operator[] = []
  /** Everything that commands printed. */
  readonly printed: string[] = []
  /** What is put before the command line of a daemon, by name: `ip netns exec …`. */
  readonly prefix = new Map<string, readonly string[]>()
  /** What is run in the place of the program, by name: a test's own entry point, with options of its own. */
  readonly program = new Map<string, readonly string[]>()
  readonly #running = new Map<string, ChildProcess>()

  constructor() {
    writeFileSync(join(this.folder, 'password'), Operators.password)
  }

  /** A key in a keystore, without a configuration yet. */
  async make(name: string): Promise<Operator> {
    const { address, privateKey } = Wallet.createRandom()
    const keystore = await encryptKeystoreJson({ address, privateKey }, Operators.password, {
      scrypt: { N: 1024 },
    })
    writeFileSync(join(this.folder, `${name}.json`), keystore)
    const operator: Operator = {
      name,
      address: toAddress(address),
      privateKey: privateKey as Hex, // CAST: ethers' hex strings begin with 0x
      config: join(this.folder, `${name}.yaml`),
      dataDirectory: join(this.folder, name),
    }
    this.team.push(operator)
    return operator
  }

  at(index: number): Operator {
    const operator = this.team[index]
    assert.ok(operator)
    return operator
  }

  /** Writes an operator's configuration: its own files, a free port each, and the settings given. */
  configure({ name, config }: Operator, settings: Settings): void {
    writeSettings(config, { keystore: `${name}.json`, dataDirectory: name, ...settings })
  }

  /** Starts a process of `truss start` or `truss bootnode`; gives what it printed once it was up. */
  async start(
    name: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Record<string, unknown>> {
    const log = openSync(join(this.folder, `${name}.log`), 'a')
    const program = this.program.get(name) ?? ['relayer/main.ts']
    const line = [...(this.prefix.get(name) ?? []), process.execPath, ...program, ...args, '--json']
    const child = spawn(line[0] ?? '', line.slice(1), {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, ...env },
    })
    closeSync(log)
    this.#running.set(name, child)
    let text = ''
    child.stdout?.setEncoding('utf8')
    const up = Promise.withResolvers<Record<string, unknown>>()
    child.stdout?.on('data', (part: string) => {
      text += part
      this.printed.push(part)
      if (text.trimEnd().endsWith('}')) up.resolve(JSON.parse(text))
    })
    child.once('exit', (code) => up.reject(new Error(`${name} ended with ${code}: ${this.log(name)}`)))
    return up.promise
  }

  /** Starts a bootnode; gives the setting `bootstrap` of those that are to know it. */
  async bootnode(env: Record<string, string> = {}): Promise<string> {
    const { multiaddrs } = await this.start('bootnode', ['bootnode'], {
      TRUSS_LISTEN: '/ip4/127.0.0.1/tcp/0',
      TRUSS_HTTP_PORT: '0',
      TRUSS_DATA_DIRECTORY: join(this.folder, 'bootnode'),
      ...env,
    })
    return `[${String(multiaddrs)}]`
  }

  /** SIGTERM; gives the exit code. */
  async stop(name: string): Promise<number | null> {
    const child = this.#running.get(name)
    this.#running.delete(name)
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null
    child.kill('SIGTERM')
    await once(child, 'exit')
    return child.exitCode
  }

  /** Any other signal; after SIGKILL it resolves once the daemon is gone. */
  async signal(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#running.get(name)
    if (child === undefined) return
    child.kill(signal)
    if (signal !== 'SIGKILL') return
    this.#running.delete(name)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)))
  }

  /** What a daemon logged. */
  log(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8')
  }

  /** One command; everything that it prints is kept. */
  async truss(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number; out: string; err: string }> {
    const result = await truss(args, env)
    this.printed.push(result.out, result.err)
    return result
  }

  /** The JSON that a command prints. @throws Error with its line if it fails */
  async ask<T>(args: readonly string[]): Promise<T> {
    const { code, out, err } = await this.truss([...args, '--json'])
    if (code !== 0) throw new Error(`truss ${args.join(' ')}: ${code}: ${err}`)
    return JSON.parse(out) as T // CAST: the caller names the command's own type
  }

  status({ config }: Operator): Promise<FullStatus> {
    return this.ask(['status', '-c', config])
  }

  /** Waits until everybody signs with that epoch, and the deletions of the one before are complete. */
  async allComplete(epoch: number): Promise<void> {
    const complete = (now: FullStatus) =>
      now.phase === 'complete' && now.epoch === epoch && now.signsWith === epoch
    await Promise.all(this.team.map((operator) => eventually(() => this.status(operator), complete)))
  }

  /** A command of governance, by the first operator's configuration. */
  async admin(...args: readonly string[]): Promise<void> {
    const key = ['--private-key-env', 'TRUSS_PRIVATE_KEY', '--yes', '-c', this.at(0).config]
    const { code, err } = await this.truss(['admin', ...args, ...key], { TRUSS_PRIVATE_KEY: ADMIN_KEY })
    assert.equal(code, 0, err)
  }
}

/** Asks again until the answer is as wanted. @throws Error with the last answer after `ms` */
export async function eventually<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  ms = 60_000,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (performance.now() > deadline) throw new Error(`waited for something else: ${JSON.stringify(answer)}`)
    await pause(100)
  }
}
