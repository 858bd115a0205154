// Reads the import lines and asserts the layering rule, the absence of cycles and barrels, and the bound on file sizes.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'

const LIBP2P = ['libp2p', '@libp2p/', '@chainsafe/libp2p-', '@multiformats/', 'multiformats', 'cborg']

/** What each folder of relayer/ may import: folders (or single files) of ours, and vendor packages by prefix. */
const RULES: Record<string, { ours: readonly string[]; vendors: readonly string[] }> = {
  lib: { ours: [], vendors: ['pino', 'prom-client', 'p-queue'] },
  crypto: { ours: ['lib'], vendors: ['@noble/curves', '@noble/hashes', 'node:crypto'] },
  protocol: { ours: ['crypto', 'lib'], vendors: [] },
  chain: { ours: ['lib'], vendors: ['ethers', 'zod'] },
  store: { ours: ['protocol', 'crypto', 'lib'], vendors: ['level', '@noble/ciphers'] },
  p2p: {
    ours: ['protocol/channel.ts', 'protocol/party.ts', 'protocol/spec.ts', 'crypto', 'lib'],
    vendors: LIBP2P,
  },
  ceremony: { ours: ['store', 'protocol', 'crypto', 'lib'], vendors: [] },
  bridge: { ours: ['ceremony', 'chain', 'store', 'protocol', 'crypto', 'lib'], vendors: [] },
  keys: { ours: ['ceremony', 'chain', 'store', 'protocol', 'crypto', 'lib'], vendors: [] },
  api: { ours: ['keys', 'bridge', 'store', 'lib'], vendors: ['fastify', '@fastify/', 'zod'] },
  'config.ts': { ours: ['lib'], vendors: ['zod', 'yaml'] },
  'node.ts': {
    ours: [
      'lib',
      'crypto',
      'protocol',
      'chain',
      'store',
      'p2p',
      'ceremony',
      'bridge',
      'keys',
      'api',
      'config.ts',
    ],
    vendors: [],
  },
  cli: {
    ours: [
      'node.ts',
      'config.ts',
      'lib',
      'crypto',
      'protocol',
      'chain',
      'store',
      'p2p',
      'ceremony',
      'bridge',
      'keys',
      'api',
    ],
    vendors: ['commander'],
  },
  'main.ts': { ours: ['cli', 'node.ts', 'config.ts', 'lib'], vendors: ['commander'] },
}

/** node: modules that a folder must not touch: no I/O and no time inside the mathematics. */
const FORBIDDEN_NODE: Record<string, RegExp> = {
  protocol: /^node:/,
  crypto: /^node:(?!crypto$)/,
}

const LINE_BOUND = 300
const sources = globSync('relayer/**/*.ts').sort()

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
  )
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The file that a relative import names, as a path from the repository root. */
function resolve(file: string, specifier: string): string {
  return normalize(join(dirname(file), specifier))
}

function floorOf(path: string): string {
  return relative('relayer', path).split('/')[0] ?? ''
}

test('every import of relayer/ keeps to the layering rule', () => {
  const broken: string[] = []
  for (const file of sources) {
    const floor = floorOf(file)
    const rule = RULES[floor]
    assert.ok(rule, `${file}: its folder has no rule`)
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        const target = resolve(file, specifier)
        const inside = relative('relayer', target)
        const allowed =
          floorOf(target) === floor ||
          rule.ours.some((name) => inside === name || inside.startsWith(`${name}/`))
        if (!target.startsWith('relayer/') || !allowed) broken.push(`${file} imports ${target}`)
        continue
      }
      const node = specifier.startsWith('node:')
      if (
        node
          ? FORBIDDEN_NODE[floor]?.test(specifier)
          : !rule.vendors.some(
              (name) =>
                specifier === name ||
                specifier.startsWith(name.endsWith('/') || name.endsWith('-') ? name : `${name}/`),
            )
      ) {
        broken.push(`${file} imports ${specifier}`)
      }
    }
  }
  assert.deepEqual(broken, [])
})

test('no import cycle', () => {
  const edges = new Map(
    sources.map((file) => [
      file,
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => resolve(file, name)),
    ]),
  )
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `cycle: ${[...path, file].join(' -> ')}`)
    if (done.has(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of sources) visit(file, [])
})

test('no barrels, no drawers for everything', () => {
  const names = sources.filter((file) =>
    /(^|\/)(index|utils?|common|helpers?|types|misc)\.ts$|\/(utils|common|helpers|interfaces)\//.test(file),
  )
  assert.deepEqual(names, [])
})

test('protocols know no clock, no timer and no other randomness than the one handed to them', () => {
  const broken = globSync('relayer/{protocol,crypto}/**/*.ts').filter((file) =>
    /\bDate\b|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bprocess\./.test(
      readFileSync(file, 'utf8').replaceAll(/\/\/.*|\/\*[^]*?\*\//g, ''),
    ),
  )
  assert.deepEqual(broken, [])
})

test('scripts are imported by nothing in relayer/, test code by nothing outside test/', () => {
  for (const file of [...sources, ...globSync('scripts/**/*.ts')]) {
    for (const name of importsOf(file).filter((specifier) => specifier.startsWith('.'))) {
      assert.ok(!resolve(file, name).startsWith('test/'), `${file} imports ${name}`)
    }
  }
})

test(`every file opens with a sentence, and has at most ${LINE_BOUND} lines`, () => {
  const own = [...globSync('{relayer,scripts,test}/**/*.ts'), 'hardhat.config.ts'].filter(
    (file) => file !== 'relayer/chain/abi.ts',
  )
  for (const file of own) {
    const lines = readFileSync(file, 'utf8').split('\n')
    assert.match(
      lines[0]?.startsWith('#!') ? (lines[1] ?? '') : (lines[0] ?? ''),
      /^(\/\/|\/\*\*) ?\S/,
      `${file}: no opening sentence`,
    )
    assert.ok(lines.length <= LINE_BOUND + 1, `${file}: ${lines.length - 1} lines`)
  }
})

test('every domain separation tag occurs once', () => {
  const tags = [...readFileSync('relayer/crypto/tags.ts', 'utf8').matchAll(/: '([^']+)'/g)].map(
    (match) => match[1] ?? '',
  )
  assert.equal(new Set(tags).size, tags.length)
})
