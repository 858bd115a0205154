// The judge of simulated sessions: each end is held against what was tried, and a wrong code, culprit or suspect is a complaint.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../relayer/lib/bytes.ts'
import { AbortedError, DisputeError, FaultError, SilenceError } from '../../relayer/protocol/faults.ts'
import type { FaultCode } from '../../relayer/protocol/faults.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import { type Cheating, judge } from '../world/judge.ts'

const party = (index: number): Party => ({
  role: 'new',
  index,
  address: `0x${String(index).repeat(40)}`,
})
const [one, two, three] = [party(1), party(2), party(3)]

const convicting = (code: FaultCode, ...culprits: Party[]) =>
  new FaultError(code, { culprits, evidence: new Uint8Array(), message: 'run' })
const disputing = (code: FaultCode, ...suspects: Party[]) =>
  new DisputeError(code, { suspects, message: 'compare' })

function cheat(by: Party, code: string, more: Partial<Cheating['expected']> = {}): Cheating {
  const expected = { verdict: 'fault', codes: [code], stage: 'prepare', ...more } as const
  return { name: `${code} of ${by.index}`, culprit: by.address, expected, victims: null }
}

test('a conviction names who did it, of what it did', () => {
  assert.deepEqual(judge(convicting('E_LEN', one), [cheat(one, 'E_LEN')]), {
    reached: ['E_LEN of 1'],
    complaint: null,
  })
  for (const error of [convicting('E_POK', one), convicting('E_LEN', two), convicting('E_LEN', one, two)])
    assert.match(
      judge(error, [cheat(one, 'E_LEN')]).complaint ?? '',
      /^convicts .* what was tried is "E_LEN of 1"/,
    )
  assert.match(judge(convicting('E_LEN', one), []).complaint ?? '', /what was tried is nothing/)
})

test('nobody is convicted for what only makes a suspect, or nothing at all', () => {
  for (const verdict of ['suspect', 'drop', 'harmless'] as const)
    assert.notEqual(judge(convicting('E_ECHO', one), [cheat(one, 'E_ECHO', { verdict })]).complaint, null)
})

test('two that cheat together are convicted together, unless somebody else cheats too', () => {
  const together: Address[] = [one.address, two.address]
  const plot = [one, two].map((by) => ({ ...cheat(by, 'E_CONST'), name: 'plot', together }))
  assert.equal(judge(convicting('E_CONST', one, two), plot).complaint, null)
  assert.match(judge(convicting('E_CONST', one), plot).complaint ?? '', new RegExp(`and not ${two.address}`))
  assert.equal(judge(convicting('E_CONST', one), [...plot, cheat(three, 'E_POK')]).complaint, null)
})

test('a dispute suspects who did it, and is none where nobody cheated or a proof exists', () => {
  const echo = cheat(one, 'E_ECHO', { verdict: 'suspect' })
  assert.deepEqual(judge(disputing('E_ECHO', one), [echo]), { reached: ['E_ECHO of 1'], complaint: null })
  for (const [error, cheats] of [
    [disputing('E_ECHO', two), [echo]],
    [disputing('E_CERT', one), [echo]],
    [disputing('E_CONST', one), [cheat(one, 'E_CONST')]],
    [disputing('E_ECHO', one), []],
  ] as const)
    assert.match(judge(error, cheats).complaint ?? '', /names no culprit/)
  assert.equal(judge(disputing('E_ECHO', two), [cheat(one, 'E_ECHO', { divides: true })]).complaint, null)
})

test('what others say must have happened; silence is noticed when the silent one is named', () => {
  const said = (code: FaultCode) => new AbortedError(two, { code, round: 1, suspects: [] })
  assert.equal(judge(said('E_TIMEOUT'), []).complaint, null)
  assert.match(judge(said('E_ECHO'), []).complaint ?? '', /^hears /)
  assert.equal(judge(said('E_ECHO'), [cheat(one, 'E_ECHO', { verdict: 'suspect' })]).complaint, null)
  const withheld = cheat(one, 'E_TIMEOUT', { verdict: 'suspect' })
  assert.deepEqual(judge(new SilenceError(2, [one]), [withheld]).reached, ['E_TIMEOUT of 1'])
  assert.deepEqual(judge(new SilenceError(2, [two]), [withheld]).reached, [])
})
