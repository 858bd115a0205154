// The machine's clock: what is set back or forward by hand or by NTP moves no deadline and no allowance.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../relayer/lib/clock.ts'

const DAY_MS = 86_400_000

test('the machine set back or forward by a day: time goes on as before', (t) => {
  const { now } = Date
  const before = systemClock.now()
  assert.ok(Math.abs(before - now()) < DAY_MS / 24, 'it begins at the time of the machine')
  for (const jump of [-DAY_MS, DAY_MS]) {
    t.mock.method(Date, 'now', () => now() + jump)
    const after = systemClock.now()
    assert.ok(after >= before, 'it never goes back')
    assert.ok(after - before < 60_000, 'it never leaps')
    t.mock.restoreAll()
  }
})
