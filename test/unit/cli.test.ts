// The command line in this process: init, help, exit codes, and that no secret is ever printed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { decryptKeystoreJson, encryptKeystoreJson, Wallet } from 'ethers'
import type { Command } from 'commander'
import { EXIT } from '../../relayer/cli/exit.ts'
import { createProgram } from '../../relayer/cli/program.ts'
import { renderCliDocs } from '../../scripts/cli-docs.ts'
import { quietIo, truss } from '../support/cli.ts'
import { scratch } from '../support/scratch.ts'

const BRIDGE = '0x5fbdb2315678afecb367f032d93f642f64180aa3'
const NETWORK = ['--chain-id', '31337', '--bridge', BRIDGE, '--rpc', 'http://127.0.0.1:1']
const PEER = '16Uiu2HAkxp9nAsXsCthNWPkkpm4yG1eW7L4ENpVyzDZM8HE1yr12'
const BOOTSTRAP = ['--bootstrap', `/dns4/bootnode.example.org/tcp/9700/p2p/${PEER}`]

const folder = () => scratch('cli')

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

interface Made {
  readonly address: string
  readonly peerId: string
  readonly config: string
  readonly keystore: string
  readonly passwordFile: string
}

async function init(directory: string, ...more: string[]): Promise<Made> {
  const { code, out, err } = await truss([
    'init',
    '-d',
    directory,
    '--json',
    ...NETWORK,
    ...BOOTSTRAP,
    ...more,
  ])
  assert.equal(code, EXIT.done.code, err)
  return JSON.parse(out) as Made // CAST: what init printed; its fields are compared below
}

test('init makes a keystore, a password and a configuration that the daemon takes, and says what comes next', async () => {
  const directory = folder()
  const { code, out } = await truss(['init', '-d', directory, ...NETWORK, ...BOOTSTRAP])
  assert.equal(code, 0)
  assert.match(out, /^address +0x[0-9a-f]{40}$/m)
  assert.match(out, /^PeerId +16Uiu2HA\w+$/m)
  assert.match(out, /^Next: fund 0x[0-9a-f]{40}, run truss start --config .*, then ask governance/m)
  for (const name of ['keystore.json', 'password'])
    assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
  assert.equal(statSync(join(directory, 'data')).mode & 0o777, 0o700)
  const check = await truss(['config', 'check', '-c', join(directory, 'truss.yaml')])
  assert.equal(check.code, 0, check.err)
  assert.match(check.out, new RegExp(`address +${/0x[0-9a-f]{40}/.exec(out)?.[0]}`))

  const password = readFileSync(join(directory, 'password'), 'utf8').trim()
  const { privateKey } = await decryptKeystoreJson(
    readFileSync(join(directory, 'keystore.json'), 'utf8'),
    password,
  )
  for (const printed of [out, check.out, check.err]) {
    assert.ok(!printed.includes(password))
    assert.ok(!printed.includes(privateKey.slice(2)))
  }
})

test('init overwrites nothing', async () => {
  const directory = folder()
  await init(directory)
  const before = readFileSync(join(directory, 'keystore.json'))
  const again = await truss(['init', '-d', directory])
  assert.equal(again.code, EXIT.config.code)
  assert.match(again.err, /^truss: make .*: it exists already: choose another --directory/)
  assert.deepEqual(readFileSync(join(directory, 'keystore.json')), before)
})

test('init takes over a keystore of any wallet, with its password', async () => {
  const { address, privateKey } = Wallet.createRandom()
  const wallet = { address, privateKey }
  const directory = folder()
  const file = join(directory, 'wallet.json')
  writeFileSync(file, await encryptKeystoreJson(wallet, 'hunter2hunter2', { scrypt: { N: 1024 } }))
  const passwordFile = join(directory, 'pw')
  writeFileSync(passwordFile, 'hunter2hunter2\n')
  const made = await init(directory, '--import', file, '--password-file', passwordFile)
  assert.equal(made.address, wallet.address.toLowerCase())
  writeFileSync(passwordFile, 'wrong')
  const wrong = await truss(['config', 'check', '-c', made.config])
  assert.equal(wrong.code, EXIT.config.code)
  assert.match(wrong.err, /the password is wrong/)
  assert.ok(!wrong.err.includes('hunter2') && !wrong.err.includes('"wrong"'))
  writeFileSync(made.keystore, readFileSync(made.keystore, 'utf8').slice(0, 200))
  const truncated = await truss(['config', 'check', '-c', made.config, '--json'])
  assert.equal(truncated.code, EXIT.config.code)
  assert.match(JSON.parse(truncated.out).error.message, /truncated/)
  assert.equal(truncated.err.split('\n').length, 1)
})

test('what the command line does not know ends with the usage code and one line', async () => {
  for (const args of [
    ['strat'],
    ['start', '--fast'],
    ['admin', 'add-relayer'],
    ['admin', 'add-relayer', 'bob'],
    ['admin', 'add-key', 'rsa'],
    ['admin', 'set-committee'],
    ['sign-probe', '--key', 'first'],
    ['evidence', 'verify', 'x', '--committee', '7:2:bob'],
  ]) {
    const { code, err, out } = await truss(args)
    assert.equal(code, EXIT.usage.code, args.join(' '))
    assert.match(err, /^truss: .+: .+/)
    assert.equal(err.split('\n').length, 1, err)
    assert.equal(out, '')
  }
  assert.equal((await truss([])).code, EXIT.usage.code)
  assert.equal((await truss(['--help'])).code, EXIT.done.code)
  assert.match((await truss(['--version'])).out, /^truss\/\d+\.\d+\.\d+$/)
})

test('each thing that is not there has its own code', async () => {
  const { config } = await init(folder())
  const codes = async (...args: string[]) => (await truss([...args, '-c', config])).code
  assert.equal(await codes('status'), EXIT.daemon.code)
  assert.equal(await codes('keys'), EXIT.daemon.code)
  assert.equal(await codes('sign-probe'), EXIT.daemon.code)
  assert.equal(await codes('share', 'declare-lost'), EXIT.daemon.code)
  assert.equal(await codes('admin', 'committee'), EXIT.chain.code)
  assert.equal((await truss(['start', '-c', '/nowhere.yaml'])).code, EXIT.config.code)
  assert.equal((await truss(['status'])).code, EXIT.config.code)
  const keyless = await truss(['admin', 'cancel', '--private-key-env', 'NO_SUCH', '-c', config])
  assert.equal(keyless.code, EXIT.config.code)
})

test('a bad admin key is not printed, neither as text nor as JSON', async () => {
  const { config } = await init(folder())
  const secret = 'ab'.repeat(31)
  for (const json of [[], ['--json']]) {
    const args = ['admin', 'cancel', '--private-key-env', 'TRUSS_MY_KEY', '-c', config, ...json]
    const { out, err, code } = await truss(args, { TRUSS_MY_KEY: secret })
    assert.equal(code, EXIT.config.code)
    assert.match(err, /read the admin's key from TRUSS_MY_KEY/)
    assert.ok(!`${out}${err}`.includes(secret))
  }
})

test('the stack of an error is shown only when debugging', async () => {
  const quiet = await truss(['status', '-c', '/nowhere.yaml'])
  assert.doesNotMatch(quiet.err, /^\s+at /m)
  const debug = await truss(['status', '-c', '/nowhere.yaml'], { TRUSS_LOG_LEVEL: 'debug' })
  assert.match(debug.err, /^\s+at /m)
})

test('every command, option and argument says what it is for, and shows the options of all', () => {
  const commands = allCommands(createProgram(quietIo().io))
  assert.ok(commands.length >= 25)
  for (const command of commands) {
    assert.notEqual(command.description(), '', command.name())
    for (const option of command.options) assert.notEqual(option.description, '', option.flags)
    for (const argument of command.registeredArguments) assert.notEqual(argument.description, '')
    assert.match(command.helpInformation(), /--json/, command.name())
    assert.match(command.helpInformation(), /--config <file>/, command.name())
  }
})

/** What an option or argument says of the text x: the bounds of a whole number, or null if it is none. */
function boundsOf(parse: ((value: string, previous: never) => unknown) | undefined): string | null {
  try {
    parse?.('x', undefined as never) // CAST: no value was given before this one
  } catch (error) {
    const [, least, most] = /a whole number from (\d+) to (\d+)/.exec(String(error)) ?? []
    // A bound that only says what a number can hold is no news.
    return most === undefined || Number(most) >= 2 ** 32 - 1 ? null : `${least} to ${most}`
  }
  return null
}

test('every number with bounds states them in its help', () => {
  const stated: string[] = []
  for (const command of allCommands(createProgram(quietIo().io)))
    for (const { description, parseArg } of [...command.options, ...command.registeredArguments]) {
      const bounds = boundsOf(parseArg)
      if (bounds === null) continue
      assert.ok(description.includes(bounds), `${command.name()}: ${description}: ${bounds}`)
      stated.push(bounds)
    }
  assert.deepEqual([...new Set(stated)].sort(), ['100 to 600000', '2 to 100'])
})

test('docs/cli.md tells shared options once, and each command that takes them refers to them', () => {
  const page = renderCliDocs()
  for (const flag of ['--dry-run', '--calldata', '--private-key-env <name>'])
    assert.equal(page.split(`| \`${flag}\` |`).length - 1, 1, flag)
  const section = (name: string) =>
    page.split('\n## ').find((text) => text.startsWith(`\`truss ${name}`)) ?? ''
  for (const name of ['admin cancel', 'admin add-relayer', 'admin set-committee'])
    assert.match(section(name), /\[options of a change\]\(#options-of-a-change\)/, name)
  for (const name of ['admin committee', 'admin check', 'evidence verify'])
    assert.match(section(name), /\[options that say which bridge\]\(#options-that-say-which-bridge\)/, name)
  assert.match(section('admin set-committee'), /`--add <address>`/)
  assert.doesNotMatch(section('admin set-committee'), /--rpc/)
  assert.doesNotMatch(section('status'), /options/)
  assert.match(
    section('init'),
    /`--rpc <url>`/,
    'an option that means something else is told where it stands',
  )
})

test('docs/cli.md is what the commands say', () => {
  assert.ok(existsSync('docs/cli.md'), 'run node scripts/cli-docs.ts')
  assert.equal(readFileSync('docs/cli.md', 'utf8'), renderCliDocs(), 'run node scripts/cli-docs.ts')
})

test('exit codes are distinct and explained', () => {
  const all = Object.values(EXIT)
  assert.equal(new Set(all.map(({ code }) => code)).size, all.length)
  for (const { about } of all) assert.match(about, /^[A-Z].*\.$/)
})

test('the program starts as a process of its own, by file and by npm', () => {
  const version = /^truss\/\d/
  assert.match(
    execFileSync(process.execPath, ['relayer/main.ts', '--version'], { encoding: 'utf8' }),
    version,
  )
  assert.match(execFileSync('npm', ['run', '-s', 'truss', '--', '--version'], { encoding: 'utf8' }), version)
})
