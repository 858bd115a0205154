// A short run of the fuzzer over every decoder, and the register of decoders held against the exports of relayer/.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { test } from 'node:test'
import { allDecoders, EXEMPT } from '../faults/fuzz-decoders.ts'
import { fuzz, shares, unreached } from '../faults/fuzz-engine.ts'
import { neverSeen, refusalsOf } from '../faults/fuzz-refusals.ts'

const INPUTS = 60_000
const SEED = 7
const decoders = await allDecoders()
/** Every answer of every decoder. */
const labels = new Set<string>()

for (const [decoder, inputs] of shares(decoders, INPUTS))
  void test(`${decoder.name}: typed refusals, each of them, or values that encode to what came`, async () => {
    const { failures, seen, thirds } = await fuzz(decoder, inputs, SEED)
    assert.deepEqual(failures, [])
    assert.deepEqual(unreached(decoder, seen), [])
    assert.ok(Math.max(...thirds) - Math.min(...thirds) <= 1, 'a third each')
    for (const label of seen.keys()) labels.add(label)
  })

void test('every refusal that stands in the source of a decoder was reached, or no byte can cause it', () => {
  assert.ok(refusalsOf(decoders).length > 150)
  assert.deepEqual(neverSeen(decoders, [...labels]), [])
})

void test('every exported decoder is in the register, and the register names nothing else', () => {
  const exported = globSync('relayer/**/*.ts').flatMap((file) => {
    const found = readFileSync(file, 'utf8').matchAll(
      /^export (?:async )?(?:function\*?|const) ((?:decode|parse|unseal|judge|describe)[A-Z]\w*|verify\w*Evidence|dec|decList|fromHex|toAddress|load\w*Config)\b/gm,
    )
    // What the store reads back from a disk decodes too.
    const stored = file.startsWith('relayer/store/') ? readFileSync(file, 'utf8') : ''
    const readers = stored.matchAll(/^export async function ((?:read|list|load)[A-Z]\w*)\b/gm)
    return [...found, ...readers].map((match) => `${relative('relayer', file)}#${match[1]}`)
  })
  const registered = new Set(decoders.flatMap(({ covers }) => covers))
  const forgotten = exported.filter((name) => !registered.has(name) && EXEMPT[name] === undefined)
  assert.deepEqual(forgotten, [], 'add them to test/faults/fuzz-decoders*.ts')
  const sources = new Map<string, string>()
  for (const name of [...registered, ...Object.keys(EXEMPT)]) {
    const [file = '', what = ''] = name.split('#')
    const text = sources.get(file) ?? readFileSync(`relayer/${file}`, 'utf8')
    sources.set(file, text)
    assert.ok(text.includes(what.split('.').at(-1) ?? ''), `${name} is not there any more`)
  }
})
