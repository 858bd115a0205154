// A short run of the fuzzer over every decoder, and the register of decoders held against the exports of relayer/.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { test } from 'node:test'
import { allDecoders, EXEMPT } from '../faults/fuzz-decoders.ts'
import { fuzz, shares, unreached } from '../faults/fuzz-engine.ts'

const INPUTS = 60_000
const SEED = 7
const decoders = await allDecoders()

for (const [decoder, inputs] of shares(decoders, INPUTS))
  void test(`${decoder.name}: typed refusals, each of them, or values that encode to what came`, async () => {
    const { failures, seen } = await fuzz(decoder, inputs, SEED)
    assert.deepEqual(failures, [])
    assert.deepEqual(unreached(decoder, seen), [])
  })

void test('every exported decoder is in the register, and the register names nothing else', () => {
  const exported = globSync('relayer/**/*.ts').flatMap((file) => {
    const found = readFileSync(file, 'utf8').matchAll(
      /^export (?:async )?(?:function\*?|const) ((?:decode|parse|unseal|judge|describe)[A-Z]\w*|verify\w*Evidence|dec|decList|fromHex|toAddress|load\w*Config)\b/gm,
    )
    return [...found].map((match) => `${relative('relayer', file)}#${match[1]}`)
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
