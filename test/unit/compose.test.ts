// docker-compose.yml against the real command line and the real settings, since no container engine is at hand.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { computeAddress, getCreateAddress } from 'ethers'
import { parse } from 'yaml'
import { openKeystore } from '../../relayer/chain/keystore.ts'
import { createProgram } from '../../relayer/cli/program.ts'
import { loadBootnodeConfig, loadConfig } from '../../relayer/config.ts'
import { fromHex, utf8 } from '../../relayer/lib/bytes.ts'
import { signerOf } from '../../relayer/crypto/identity.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { peerIdOf } from '../../relayer/p2p/identity.ts'
import { quietIo } from '../support/cli.ts'
import { scratch } from '../support/scratch.ts'

interface Service {
  readonly build: { readonly target: string }
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, unknown>>
}

// CAST: the parts of our own file that are read here; `npx dclint` checks its form
const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
}
const services = Object.entries(compose.services)
const relayers = services.filter(([name]) => name.startsWith('relayer-'))
const image = services.filter(([, { build }]) => build.target === 'relayer')

/** The name of the command that the words lead to, with its options; throws what the command line would refuse. */
async function parsed(words: readonly string[]): Promise<{ name: string; options: Record<string, unknown> }> {
  const program = createProgram(quietIo().io)
  const found = { name: '', options: {} }
  const stop = new Error('parsed')
  program.hook('preAction', (_program, action) => {
    Object.assign(found, { name: action.name(), options: action.opts() })
    throw stop
  })
  await assert.rejects(program.parseAsync([...words], { from: 'user' }), (error) => error === stop)
  return found
}

test('there are a chain, its deployment, keys, a bootnode and four relayers', () => {
  assert.deepEqual(services.map(([name]) => name).sort(), [
    'bootnode',
    'chain',
    'deploy',
    'keys',
    'relayer-1',
    'relayer-2',
    'relayer-3',
    'relayer-4',
  ])
})

test("each service's command line is one that the program takes", async () => {
  for (const [name, { command }] of image) {
    const { name: taken, options } = await parsed(command)
    assert.equal(taken, name === 'bootnode' ? 'bootnode' : 'start')
    if (name === 'bootnode') assert.equal(options.keyFile, '/keys/bootnode.key')
  }
})

test("each service's environment is a whole configuration", () => {
  for (const [name, { environment = {}, volumes = [] }] of image) {
    const source = { file: null, env: environment }
    const common = name === 'bootnode' ? loadBootnodeConfig(source) : loadConfig(source)
    assert.ok(
      volumes.some((volume) => volume.endsWith(`:${common.dataDirectory}`)),
      `${name}: data is kept`,
    )
    assert.deepEqual(common.announce, [`/dns4/${name}/tcp/9700`])
    if (name === 'bootnode') continue
    const { keystore, passwordFile } = loadConfig(source)
    assert.ok(volumes.includes('keys:/keys:ro'))
    assert.equal(keystore, `/keys/${name}.json`)
    assert.equal(passwordFile, '/keys/password')
  }
})

test('keystores open, the bootnode has the PeerId that all are told, the committee is deployed with their addresses', async () => {
  const directory = scratch('compose')
  const made = spawnSync(process.execPath, ['scripts/compose-keys.ts', '--directory', directory])
  assert.equal(made.status, 0)
  const kept = (name: string) => readFileSync(join(directory, name), 'utf8').trim()
  const addresses: string[] = []
  for (const [name] of relayers) {
    const key = await openKeystore(join(directory, `${name}.json`), new Secret(utf8(kept('password'))))
    addresses.push(signerOf(key).address)
  }
  const { deploy } = compose.services
  const committee = deploy?.command[(deploy.command.indexOf('--relayers') ?? 0) + 1]?.split(',')
  assert.deepEqual(committee, addresses.slice(0, 3))

  const peerId = peerIdOf(new Secret(fromHex(kept('bootnode.key'))))
  for (const [, { environment }] of relayers)
    assert.equal(environment?.TRUSS_BOOTSTRAP, `/dns4/bootnode/tcp/9700/p2p/${peerId}`)
})

test('the bridge is where the relayers look for it: the second contract of the deployer', () => {
  const { deploy } = compose.services
  const from = computeAddress(deploy?.environment?.DEPLOYER_KEY ?? '')
  const bridge = getCreateAddress({ from, nonce: 1 }).toLowerCase()
  assert.ok(deploy?.command.includes(bridge))
  for (const [, { environment }] of relayers) assert.equal(environment?.TRUSS_BRIDGE, bridge)
})

test('the image runs as a user without rights, without a build step, and says how it is', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  assert.match(dockerfile, /^FROM node:24/m)
  assert.match(last, /npm ci --omit=dev/)
  assert.match(last, /^USER node$/m)
  assert.match(last, /^HEALTHCHECK /m)
  assert.doesNotMatch(last, /tsc|hardhat/)
  const copied = [...dockerfile.matchAll(/^COPY ([^-\n]+) \S+$/gm)].flatMap(([, from = '']) =>
    from.split(' '),
  )
  for (const path of copied)
    assert.ok(readFileSync('.dockerignore', 'utf8').split('\n').includes(path) === false, path)
})
