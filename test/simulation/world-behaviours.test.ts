// Each behaviour of corrupt operators by itself: it reaches an honest check, gets its verdict, and breaks no invariant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BEHAVIOURS } from '../world/catalogue.ts'
import { plain } from '../world/plain.ts'
import { simulate } from '../world/simulate.ts'
import { storyOf } from '../world/story.ts'

/** Worlds in which it may take to come to it: who coordinates, leads and deals is drawn. */
const TRIES = 6

for (const behaviour of BEHAVIOURS)
  test(`${behaviour}: honest operators notice`, async () => {
    let reached = 0
    for (let seed = 1000; seed < 1000 + TRIES && reached === 0; seed++) {
      const outcome = await simulate(plain(seed, behaviour))
      assert.equal(outcome.violation, null, storyOf(outcome))
      reached = outcome.counts.get(`reached ${behaviour}`) ?? 0
    }
    assert.ok(reached > 0)
  })
