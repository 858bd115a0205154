// Keygen and reshare among honest parties: one transcript, one key, and shares that interpolate to it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  committeeOf,
  groupKeysOf,
  operators,
  preparedOf,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from '../support/ceremony-run.ts'

test('keygen ends with one certificate and one group key at every member', async () => {
  const signers = operators(1, 2, 3)
  const spec = specOf({ op: 'keygen', next: committeeOf(1, signers, 2) })
  const run = await runCeremony({ spec, signers })
  for (const [address, ending] of run.endings) {
    assert.equal(ending.error, null)
    assert.deepEqual(
      preparedOf(run, address).transcript,
      preparedOf(run, spec.next.members[0] ?? '0x').transcript,
    )
    assert.equal(ending.certificate?.acks.length, 3)
  }
  const held = registered(preparedOf(run, signers[0]?.address ?? '0x'))
  const more = operators(2, 3, 4, 5, 6)
  const moved = await runCeremony({
    spec: specOf({ op: 'reshare', old: spec.next, next: committeeOf(2, more, 3), held }),
    signers: operators(1, 2, 3, 4, 5, 6),
    held: sharesOf(run),
  })
  for (const [address, ending] of moved.endings) {
    assert.equal(ending.error, null)
    assert.deepEqual(
      groupKeysOf(preparedOf(moved, address)),
      groupKeysOf(preparedOf(run, signers[0]?.address ?? '0x')),
    )
    assert.equal(ending.certificate?.acks.length, 5)
  }
})
