// Assertions on how every honest party came out: the verdict, whom it blames, and that its evidence convinces a stranger.
import assert from 'node:assert/strict'
import type { Address } from '../../relayer/lib/bytes.ts'
import { verifyEvidence } from '../../relayer/protocol/evidence.ts'
import {
  AbortedError,
  DisputeError,
  FaultError,
  type FaultCode,
  SilenceError,
} from '../../relayer/protocol/faults.ts'
import type { Party } from '../../relayer/protocol/party.ts'
import { BRIDGE, CHAIN_ID, preparedOf, type Run } from './ceremony-run.ts'

/** Parties of a run that are not corrupt. */
export function honestOf(run: Run, corrupt: readonly Address[]): Address[] {
  return [...run.endings.keys()].filter((address) => !corrupt.includes(address)).sort()
}

/** Every honest party convicts exactly these with this code, by evidence that holds against the chain's committees alone. */
export function assertConvicted(run: Run, code: FaultCode, corrupt: readonly Address[]): void {
  const { old, next, held } = run.spec
  const committees = old === null ? [next] : [old, next]
  const honest = honestOf(run, corrupt)
  assert.ok(honest.length > 0)
  for (const address of honest) {
    const { error, certificate } = run.endings.get(address) ?? {}
    assert.ok(error instanceof FaultError, `${address}: ${String(error)}`)
    assert.equal(certificate, null)
    assert.equal(error.code, code)
    assert.deepEqual(addressesOf(error.culprits), [...corrupt].sort())
    const verdict = verifyEvidence(error.evidence, {
      chainId: CHAIN_ID,
      bridge: BRIDGE,
      committees,
      keys: held,
    })
    assert.equal(verdict.code, code)
    assert.deepEqual(addressesOf(verdict.culprits), [...corrupt].sort())
    assert.equal(verdict.attempt, run.start.start.attempt)
  }
}

/** Every honest party gives up with this code, suspects exactly these, and convicts nobody. */
export function assertSuspected(
  run: Run,
  code: FaultCode,
  of: { suspects: readonly Address[]; corrupt: readonly Address[] },
): void {
  for (const address of honestOf(run, of.corrupt)) {
    const { error, certificate } = run.endings.get(address) ?? {}
    assert.equal(certificate, null)
    assert.ok(
      error instanceof DisputeError || error instanceof SilenceError || error instanceof AbortedError,
      `${address}: ${String(error)}`,
    )
    const suspects = error instanceof AbortedError ? error.accusation.suspects : error.suspects
    assert.equal(error.code, code)
    assert.deepEqual(addressesOf(suspects), [...of.suspects].sort())
  }
}

/** Every honest party ends with a certificate on one transcript. */
export function assertAgreed(run: Run, corrupt: readonly Address[] = []): void {
  const transcripts = new Set<string>()
  for (const address of honestOf(run, corrupt)) {
    const ending = run.endings.get(address)
    assert.equal(ending?.error, null)
    assert.equal(ending?.certificate?.acks.length, run.spec.next.members.length)
    transcripts.add(String(preparedOf(run, address).transcript))
  }
  assert.equal(transcripts.size, 1)
}

function addressesOf(parties: readonly Party[]): Address[] {
  return [...new Set(parties.map(({ address }) => address))].sort()
}
