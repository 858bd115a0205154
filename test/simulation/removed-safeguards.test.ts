// Each safeguard earns its place: without it a seed breaks an invariant, with it the same seed breaks none.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { copyWith } from '../world/copy.ts'
import { generate } from '../world/generate.ts'
import { simulate } from '../world/simulate.ts'
import { storyOf } from '../world/story.ts'
import { MUTANTS } from './mutants/mutants.ts'

/** What the simulator says of a seed in a folder: the broken invariant, or null. */
function verdictIn(folder: string, seed: number): Promise<string | null> {
  const args = ['test/world/main.ts', '--seed', String(seed), '--json']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1) ?? ''
      if (!line.startsWith('{')) return reject(error ?? new Error(stderr))
      // CAST: what main.ts prints with --json
      const { violation } = JSON.parse(line) as { violation: { invariant: string } | null }
      resolve(violation?.invariant ?? null)
    })
  })
}

test('with every safeguard in place none of these seeds breaks an invariant', async () => {
  for (const seed of new Set(MUTANTS.map((mutant) => mutant.seed))) {
    const outcome = await simulate(generate(seed))
    assert.equal(outcome.violation, null, storyOf(outcome))
  }
})

for (const { without, patches, seed, breaks } of MUTANTS)
  test(`seed ${seed} breaks an invariant without ${without}`, async () => {
    const { folder, remove } = copyWith(patches)
    try {
      assert.equal(await verdictIn(folder, seed), breaks)
    } finally {
      remove()
    }
  })

test('the page on simulated worlds has the table of seeds', () => {
  const page = readFileSync('docs/simulation.md', 'utf8')
  for (const { without, seed, breaks } of MUTANTS)
    assert.ok(page.includes(`| ${without} | ${seed} | ${breaks} |`), without)
})
