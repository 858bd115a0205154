// The configuration: defaults, the environment, and one clear line for each thing that is wrong.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DEFAULT_RULES } from '../../relayer/bridge/policy.ts'
import { FIELDS, loadBootnodeConfig, loadConfig, loadToolConfig, variableOf } from '../../relayer/config.ts'
import { ConfigError, ConfigProblems } from '../../relayer/lib/errors.ts'
import { scratch } from '../support/scratch.ts'

const BRIDGE = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const GOOD = `
chainId: 31337
bridge: ${BRIDGE}
rpcUrls:
  - http://127.0.0.1:8545
dataDirectory: data
keystore: keystore.json
`

function fileOf(content: string): { folder: string; file: string } {
  const folder = scratch('config')
  const file = join(folder, 'truss.yaml')
  writeFileSync(file, content)
  return { folder, file }
}

function problemsOf(content: string, env: Record<string, string> = {}): readonly string[] {
  const { file } = fileOf(content)
  try {
    loadConfig({ file, env })
  } catch (error) {
    assert.ok(error instanceof ConfigProblems, String(error))
    return error.problems.map((line) => line.replace(file, 'FILE'))
  }
  return []
}

test('a small file gives a whole, frozen configuration with absolute paths', () => {
  const { folder, file } = fileOf(GOOD)
  const config = loadConfig({ file, env: { HOME: '/root' } })
  assert.equal(config.chainId, 31337)
  assert.equal(config.bridge, BRIDGE.toLowerCase(), 'an unquoted address is text, not a number')
  assert.equal(config.dataDirectory, join(folder, 'data'))
  assert.equal(config.keystore, join(folder, 'keystore.json'))
  assert.equal(config.passwordFile, undefined)
  assert.equal(config.confirmations, 'finalized')
  assert.equal(config.rpcQuorum, 1)
  assert.equal(config.httpHost, '127.0.0.1')
  assert.deepEqual(config.aliases, {})
  assert.throws(() => Object.assign(config.listen, { 0: 'other' }), TypeError)
  assert.throws(() => Object.assign(config, { chainId: 1 }), TypeError)
})

test('the environment wins over the file, and can stand alone', () => {
  const { file } = fileOf(GOOD)
  const env = {
    TRUSS_CHAIN_ID: '5',
    TRUSS_BRIDGE: BRIDGE,
    TRUSS_RPC_URLS: 'http://a:1, http://b:2,http://c:3',
    TRUSS_DATA_DIRECTORY: '/var/lib/truss',
    TRUSS_KEYSTORE: '/etc/truss/keystore.json',
    TRUSS_CONFIRMATIONS: '12',
    TRUSS_ALIASES: `${BRIDGE}=anna`,
    TRUSS_PASSWORD: 'not a setting',
  }
  for (const source of [
    { file, env },
    { file: null, env },
  ]) {
    const config = loadConfig(source)
    assert.equal(config.chainId, 5)
    assert.deepEqual(config.rpcUrls, ['http://a:1', 'http://b:2', 'http://c:3'])
    assert.equal(config.rpcQuorum, 2, 'more than half of three')
    assert.equal(config.confirmations, 12)
    assert.deepEqual(config.aliases, { [BRIDGE.toLowerCase()]: 'anna' })
  }
})

test('without configuration the rules for dealing are those of the relayer, and no other bridge is watched', () => {
  const config = loadConfig({ file: fileOf(GOOD).file, env: {} })
  const { dealMinThreshold, dealMaxChanges, dealMinOverlap, dealMaxThresholdStep } = config
  assert.equal(dealMinThreshold, DEFAULT_RULES.minThreshold)
  assert.equal(dealMaxChanges, DEFAULT_RULES.maxChanges)
  assert.equal(dealMinOverlap ?? null, DEFAULT_RULES.minOverlap)
  assert.equal(dealMaxThresholdStep, DEFAULT_RULES.maxThresholdStep)
  assert.equal(config.dealMajorityOnly, DEFAULT_RULES.majority)
  assert.equal(config.dealSpanBlocks, DEFAULT_RULES.spanBlocks)
  assert.equal(config.dealDelayBlocks, DEFAULT_RULES.delayBlocks)
  assert.deepEqual(config.otherBridges, [])
})

test('other bridges stand in the file as a list, in the environment as the same on one line', () => {
  const one = `{chainId: 5, bridge: ${BRIDGE}, rpcUrls: ["http://a:1", "http://b:2"]}`
  const { file } = fileOf(`${GOOD}otherBridges: [${one}]`)
  for (const source of [
    { file, env: {} },
    { file: fileOf(GOOD).file, env: { TRUSS_OTHER_BRIDGES: `[${one}]` } },
  ])
    assert.deepEqual(loadConfig(source).otherBridges, [
      { chainId: 5, bridge: BRIDGE.toLowerCase(), rpcUrls: ['http://a:1', 'http://b:2'], rpcQuorum: 2 },
    ])
})

test('each wrong thing is one line that names the setting and says what to do', () => {
  const cases: readonly (readonly [string, Record<string, string>, string])[] = [
    [
      'colour: red',
      {},
      'configuration (FILE): colour: there is no such setting: remove it or mend its spelling',
    ],
    ['', { TRUSS_COLOUR: 'red' }, 'configuration (environment): TRUSS_COLOUR: there is no such setting'],
    ['pollMs: 2s', {}, 'configuration (FILE): pollMs: must be a whole number from 50 to 60000'],
    ['pollMs: 0x10', {}, 'configuration (FILE): pollMs: must be a whole number from 50 to 60000'],
    [
      'confirmations: soon',
      {},
      'confirmations: must be the word finalized, or a whole number from 0 to 10000',
    ],
    ['rpcQuorum: 2', {}, 'configuration (FILE): rpcQuorum: 2 of 1 rpcUrls: lower it or add endpoints'],
    ['listen: 9700', {}, 'listen: must be a list'],
    ['listen: [":9700"]', {}, 'listen[0]: must look like /ip4/203.0.113.7/tcp/9700'],
    ['bootstrap: [/ip4/1.2.3.4/tcp/9700]', {}, "bootstrap[0]: must end in /p2p/ and the bootnode's PeerId"],
    ['logLevel: loud', {}, 'logLevel: must be one of trace, debug, info, warn, error, silent'],
    ['passwordFile:', {}, 'passwordFile: is empty: give it a value or remove the line'],
    ['aliases: {bob: "0x12"}', {}, 'aliases: must be an address: 0x and 40 hex digits'],
    ['httpPort: 70000', {}, 'httpPort: must be a whole number from 0 to 65535'],
    ['', { TRUSS_DATA_DIRECTORY: `/${'d'.repeat(120)}` }, 'dataDirectory: its path is too long'],
    ['dealMajorityOnly: often', {}, 'dealMajorityOnly: must be kept, yes or no'],
    ['dealDelayBlocks: 1d', {}, 'dealDelayBlocks: must be a whole number from 0 to 10000000'],
    ['otherBridges: 0x12', {}, 'otherBridges: must be a list of chainId, bridge and rpcUrls'],
    [
      `otherBridges: [{chainId: 31337, bridge: ${BRIDGE}, rpcUrls: ["http://a"]}]`,
      {},
      'otherBridges: one of them is the governance bridge itself',
    ],
    [
      `otherBridges: [{chainId: 5, bridge: 0x12, rpcUrls: ["http://a"]}]`,
      {},
      'otherBridges[0].bridge: must be an address',
    ],
    [`otherBridges: [{chainId: 5, bridge: ${BRIDGE}}]`, {}, 'otherBridges[0].rpcUrls: must be a list'],
    ['', { TRUSS_BRIDGE: '0x12' }, 'configuration (environment): bridge: must be an address'],
  ]
  for (const [extra, env, expected] of cases) {
    const problems = problemsOf(`${GOOD}${extra}\n`, env)
    assert.equal(problems.length, 1, `${extra}: ${problems.join(' | ')}`)
    assert.ok(problems[0]?.includes(expected), `${extra}: ${problems[0]}`)
    assert.doesNotMatch(problems[0] ?? '', /\n/)
  }
})

test('a variable of other bridges that is no YAML is refused by its name', () => {
  const env = { TRUSS_OTHER_BRIDGES: '[{chainId: 5, ports: 1' }
  assert.throws(
    () => loadConfig({ file: fileOf(GOOD).file, env }),
    /read configuration TRUSS_OTHER_BRIDGES: /,
  )
})

test('everything that is missing is named at once, with its variable', () => {
  const problems = problemsOf('logLevel: info')
  assert.deepEqual(
    problems.map((line) => /: (\w+): is missing: set it in the file or as (\w+)/.exec(line)?.slice(1)),
    ['chainId', 'bridge', 'rpcUrls', 'dataDirectory', 'keystore'].map((name) => [name, variableOf(name)]),
  )
})

test("an endpoint's URL, which may carry a key, is not repeated in a refusal", () => {
  const [problem] = problemsOf(GOOD.replace('http://127.0.0.1:8545', 'wss://node.example/SECRETKEY'))
  assert.match(problem ?? '', /rpcUrls\[0\]: must be a URL that begins with http/)
  assert.doesNotMatch(problem ?? '', /SECRETKEY/)
})

test('who opens a configuration may look at how its addresses are written', () => {
  const texts: string[] = []
  const checkAddress = (text: string) => void texts.push(text)
  const content = `${GOOD}otherBridges: [{chainId: 5, bridge: ${BRIDGE}, rpcUrls: ["http://a"]}]\naliases: {${BRIDGE}: bob}`
  loadConfig({ file: fileOf(content).file, env: {}, checkAddress })
  assert.deepEqual(texts, [BRIDGE, BRIDGE, BRIDGE])
  const refuse = () => {
    throw new RangeError('look again')
  }
  assert.throws(
    () => loadToolConfig({ file: null, env: { TRUSS_BRIDGE: BRIDGE }, checkAddress: refuse }),
    /^ConfigProblems: configuration \(environment\): bridge: look again$/,
  )
})

test('no file, a file that is no YAML and a file of one word are refused with a hint', () => {
  const refused = (file: string, what: RegExp) =>
    assert.throws(
      () => loadConfig({ file, env: {} }),
      (error) => error instanceof ConfigError && what.test(error.message) && error.hint !== '',
    )
  refused('/nowhere/truss.yaml', /there is no file/)
  refused(fileOf('a: [1\nb: 2').file, /read configuration/)
  refused(fileOf('chainId: 1\nchainId: 2').file, /unique/)
  refused(fileOf('hello').file, /holds no settings/)
})

test("a bootnode's file knows no account and no chain endpoint; tools take what is there", () => {
  const { file } = fileOf(GOOD)
  assert.throws(() => loadBootnodeConfig({ file, env: {} }), /rpcUrls: there is no such setting/)
  const bootnode = loadBootnodeConfig({
    file: null,
    env: { TRUSS_CHAIN_ID: '1', TRUSS_BRIDGE: BRIDGE, TRUSS_DATA_DIRECTORY: '/d' },
  })
  assert.deepEqual(bootnode.listen, ['/ip4/0.0.0.0/tcp/9700'])
  assert.equal(loadToolConfig({ file, env: {} }).chainId, 31337)
  assert.equal(loadToolConfig({ file: null, env: {} }).chainId, undefined)
  assert.throws(() => loadToolConfig({ file: null, env: { TRUSS_BRIDG: BRIDGE } }), /TRUSS_BRIDG/)
})

test('every setting has a sentence of its own, and a variable of its own', () => {
  const names = Object.keys(FIELDS)
  assert.equal(new Set(names.map(variableOf)).size, names.length)
  for (const [name, { about }] of Object.entries(FIELDS)) assert.match(about, /^[^\n]+[.]$/, name)
})
