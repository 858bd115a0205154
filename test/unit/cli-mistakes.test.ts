// Ordinary mistakes on the command line: each ends with one line that says what to do, and with a code of its own.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { callText } from '../../relayer/cli/admin-run.ts'
import { EXIT } from '../../relayer/cli/exit.ts'
import { RevertError } from '../../relayer/chain/reverts.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { truss } from '../support/cli.ts'
import { scratch } from '../support/scratch.ts'

/** An example of EIP-55. */
const CHECKSUMMED = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

test('an address in mixed case must have the checksum of EIP-55; in one case it has none', async () => {
  const make = (bridge: string) => truss(['init', '-d', join(scratch('mistake'), 'new'), '--bridge', bridge])
  for (const bridge of [CHECKSUMMED, CHECKSUMMED.toLowerCase(), `0x${CHECKSUMMED.slice(2).toUpperCase()}`])
    assert.equal((await make(bridge)).code, EXIT.done.code, bridge)

  const typo = CHECKSUMMED.replace('5aAeb6', '5aAeb7')
  for (const args of [
    ['init', '--bridge', typo],
    ['admin', 'add-relayer', typo, '--dry-run'],
    ['admin', 'check', typo],
    ['admin', 'set-committee', '--remove', typo],
    ['sign-probe', '--include', typo],
  ]) {
    const { code, err } = await truss(args)
    assert.equal(code, EXIT.usage.code, args.join(' '))
    assert.match(err, /checksum.*EIP-55.*copy the address again/)
  }
})

test('an address of the configuration must have its checksum too, in the file and in variables', async () => {
  const folder = scratch('mistake')
  const made = await truss(['init', '-d', folder, '--chain-id', '5', '--rpc', 'http://127.0.0.1:1'])
  assert.equal(made.code, EXIT.done.code, made.err)
  const file = join(folder, 'truss.yaml')
  const written = readFileSync(file, 'utf8')
  const typo = CHECKSUMMED.replace('5aAeb6', '5aAeb7')
  const check = async (lines: string, env: Record<string, string> = {}) => {
    writeFileSync(file, `${written}\n${lines}\n`)
    return truss(['config', 'check', '-c', file], env)
  }
  const other = (bridge: string) =>
    `otherBridges: [{ chainId: 7, bridge: ${bridge}, rpcUrls: [http://a] }]\naliases: { ${bridge}: anna }`
  for (const bridge of [CHECKSUMMED, CHECKSUMMED.toLowerCase(), `0x${CHECKSUMMED.slice(2).toUpperCase()}`]) {
    const { code, err } = await check(`bridge: ${bridge}\n${other(bridge)}`)
    assert.equal(code, EXIT.done.code, err)
  }

  const wrong = await check(`bridge: ${typo}\n${other(typo)}`)
  assert.equal(wrong.code, EXIT.config.code)
  const said = wrong.err.split('\n')
  assert.deepEqual(
    said.map(
      (line) => /^truss: configuration \(.*truss.yaml\): (\S+): its checksum \(EIP-55\)/.exec(line)?.[1],
    ),
    ['bridge', 'otherBridges[0].bridge', 'aliases'],
    wrong.err,
  )
  assert.match(said.at(-1) ?? '', /copy the address again$/)
  for (const [name, value] of [
    ['BRIDGE', typo],
    ['ALIASES', `${typo}=anna`],
    ['OTHER_BRIDGES', `[{chainId: 7, bridge: ${typo}, rpcUrls: [http://a]}]`],
  ] as const) {
    const { code, err } = await check(`bridge: ${CHECKSUMMED}`, { [`TRUSS_${name}`]: value })
    assert.equal(code, EXIT.config.code, name)
    assert.match(err, /^truss: configuration \(environment\): .*checksum \(EIP-55\)/, name)
  }
  writeFileSync(file, `bridge: ${typo}\ndataDirectory: data\n`)
  for (const args of [
    ['status'],
    ['start'],
    ['bootnode'],
    ['admin', 'committee', '--rpc', 'http://127.0.0.1:1'],
  ]) {
    const { code, err } = await truss([...args, '-c', file])
    assert.equal(code, EXIT.config.code, args.join(' '))
    if (args[0] !== 'start') assert.match(err, /checksum/, args.join(' '))
  }
})

test('a file where a directory belongs, or a directory where a file belongs, is said as such', async () => {
  const folder = scratch('mistake')
  const file = join(folder, 'file')
  writeFileSync(file, 'text')
  const made = await truss(['init', '-d', file])
  assert.equal(made.code, EXIT.config.code)
  assert.match(
    made.err,
    /^truss: make .*file.*: a file stands where a directory must be: choose another --directory$/,
  )

  const configured = await truss(['config', 'check', '--config', folder])
  assert.equal(configured.code, EXIT.config.code)
  assert.match(configured.err, /^truss: read configuration .*: it is a directory: name your configuration/)

  const record = await truss(['evidence', 'verify', folder])
  assert.equal(record.code, EXIT.config.code)
  assert.match(
    record.err,
    /^truss: read .*: it is a directory: name a file that `truss evidence save` wrote$/,
  )
  const absent = await truss(['evidence', 'verify', join(folder, 'nothing')])
  assert.match(absent.err, /there is no such file/)
})

test('what is wrong with an argument is said in one sentence, with the argument by its name', async () => {
  const said = async (...args: string[]) => (await truss(args)).err
  const help = ': see truss --help, or --help after the command'
  assert.equal(await said('start', 'now'), `truss: start takes no argument, and got now${help}`)
  assert.equal(
    await said('reshare', 'approve', '1', '2'),
    `truss: approve takes 1 argument, and got 1, 2${help}`,
  )
  assert.equal(
    await said('admin', 'check', '0x51dc'),
    `truss: <address> 0x51dc: must be an address: 0x and 40 hex digits${help}`,
  )
  assert.equal(
    await said('sign-probe', '--key', 'x'),
    `truss: --key <number> x: must be a whole number from 0 to 4294967295${help}`,
  )
})

test('a configuration that is no YAML is told in one line where it breaks', async () => {
  const file = join(scratch('mistake'), 'truss.yaml')
  for (const [text, said] of [
    ['rpcUrls: [http://a\nchainId: 1', 'Flow sequence .* at line 2, column 1'],
    ['chainId: 1\nchainId: 2', 'Map keys must be unique at line 2, column 1'],
    ['chainId: *one', 'Unresolved alias .*: one'],
  ] as const) {
    writeFileSync(file, text)
    const { code, err } = await truss(['config', 'check', '-c', file])
    assert.equal(code, EXIT.config.code)
    assert.match(err, new RegExp(`^truss: read configuration .*: ${said}: write each setting as`))
  }
})

test('init asks for the password of an imported keystore where it can be given', async () => {
  const { err } = await truss(['init', '-d', scratch('mistake'), '--import', 'wallet.json'])
  assert.match(err, /give --password-file FILE, or TRUSS_PASSWORD$/)
})

test('a call is shown with its lists apart: who is added and who removed', () => {
  const [a, b] = ['11', '22'].map((byte) => toAddress(`0x${byte.repeat(20)}`))
  assert.equal(
    callText({ method: 'adminSetCommittee', args: [[a], [b], 2] }),
    `adminSetCommittee([${a}], [${b}], 2)`,
  )
  assert.equal(
    callText({ method: 'adminSetCommittee', args: [[a, b], [], 3] }),
    `adminSetCommittee([${a}, ${b}], [], 3)`,
  )
  assert.equal(callText({ method: 'refreshKey', args: ['a lost disk'] }), 'refreshKey("a lost disk")')
})

test('what the bridge refuses comes with what to do about it', () => {
  const hint = (reason: string) => new RevertError('call', reason).hint
  for (const reason of ['NothingChanges()', 'NoCeremony()', 'NothingToWaive(epoch 9)', 'ZeroRelayer()'])
    assert.notEqual(hint(reason), '', reason)
  assert.match(hint('NoCeremony()'), /truss admin committee/)
})
