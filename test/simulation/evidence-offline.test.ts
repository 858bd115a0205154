// Evidence that honest members of simulated worlds keep, in the hands of the command line: it convicts offline, and with one byte changed, or under a committee that was made up, nobody.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { EXIT } from '../../relayer/cli/exit.ts'
import { to0x } from '../../relayer/lib/bytes.ts'
import type { TrustedState } from '../../relayer/protocol/evidence.ts'
import { isSignEvidence } from '../../relayer/protocol/signfault.ts'
import { truss } from '../support/cli.ts'
import { scratch } from '../support/scratch.ts'
import type { Judged } from '../world/court.ts'
import { madeUp } from '../world/offline.ts'
import { plain } from '../world/plain.ts'
import { simulate } from '../world/simulate.ts'
import { storyOf } from '../world/story.ts'

/** What is done, and the code of the evidence that honest members must keep of it. */
const DEEDS = [
  ['one commitment too many', 'E_LEN'],
  ['point off the curve', 'E_POINT'],
  ['opening of something else', 'E_COMMIT'],
  ['proof of another secret', 'E_POK'],
  ['constant term shifted', 'E_CONST'],
  ['invented old commitments', 'E_STATE'],
  ['bad subshare', 'E_SHARE'],
  ['subshare above the order', 'E_SCALAR'],
  ['accusation of an honest dealer', 'E_FALSE'],
  ['forged proof of possession', 'E_POS'],
  ['readiness for something else', 'E_CERT'],
  ['two start messages', 'E_EQUIV'],
  ['wrong signature share', 'E_ZSHARE'],
  ['share of an earlier epoch', 'E_ZSHARE'],
  ['nonce that its owner did not publish', 'E_B'],
  ['two packages for one session', 'E_EQUIV'],
  ['two nonces under one counter', 'E_EQUIV'],
  ['nonces that are no points', 'E_POINT'],
] as const
const TRIES = 6
/** Bytes of a record that are changed, one at a time, beside those that the court of each world changes. */
const CHANGED = 5

const folder = scratch('offline')

/** Arguments that say what the checker knows, and nothing else: no endpoint. */
function knowing({ chainId, bridge, committees, keys = [] }: TrustedState): string[] {
  const epochs = committees.map(
    ({ epoch, threshold, members }) => `${epoch}:${threshold}:${members.join(',')}`,
  )
  const stated = keys.map(
    ({ keyId, scheme, groupKey, commitmentsHash }) =>
      `${keyId}:${scheme}:${to0x(groupKey)}:${to0x(commitmentsHash)}`,
  )
  return [
    ...['--chain-id', String(chainId), '--bridge', bridge],
    ...epochs.flatMap((each) => ['--committee', each]),
    ...stated.flatMap((each) => ['--key', each]),
  ]
}

function fileOf(bytes: Uint8Array, name = 'record'): string {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return file
}

const verify = (bytes: Uint8Array, trusted: TrustedState) =>
  truss(['evidence', 'verify', fileOf(bytes), ...knowing(trusted), '--json'])

/** The evidence of the first world in which an operator comes to do it. */
async function evidenceOf(behaviour: string, code: string): Promise<readonly Judged[]> {
  for (let seed = 1000; seed < 1000 + TRIES; seed++) {
    const outcome = await simulate(plain(seed, behaviour))
    assert.equal(outcome.violation, null, storyOf(outcome))
    if (outcome.evidence.some((record) => record.code === code)) return outcome.evidence
  }
  return assert.fail(`nobody keeps evidence of ${code}`)
}

async function assertHolds({ bytes, code, trusted }: Judged): Promise<void> {
  const whole = await verify(bytes, trusted)
  assert.equal(whole.code, EXIT.done.code, whole.err)
  assert.equal(JSON.parse(whole.out).code, code)
  const step = Math.ceil(bytes.length / CHANGED)
  for (let at = (bytes.at(-1) ?? 0) % step; at < bytes.length; at += step) {
    const changed = await verify(bytes.with(at, (bytes[at] ?? 0) ^ 1), trusted)
    assert.equal(changed.code, EXIT.unproven.code, `${code}: byte ${at} of ${bytes.length}`)
  }
  const invented = await verify(bytes, madeUp(trusted))
  assert.equal(invented.code, EXIT.unproven.code, `${code} under a committee that was made up`)
}

const kept: Judged[] = []

for (const [behaviour, code] of DEEDS)
  test(`${behaviour}: the evidence of ${code} convicts offline, and only as it is`, async () => {
    const records = await evidenceOf(behaviour, code)
    kept.push(...records)
    for (const record of records) await assertHolds(record)
  })

test('the command in a process of its own, without an endpoint, says the same of a record of each kind', async () => {
  for (const signing of [false, true]) {
    const record = kept.find(({ bytes }) => isSignEvidence(bytes) === signing)
    assert.ok(record)
    const { bytes, trusted, code } = record
    const verified = (file: string) => {
      const args = ['relayer/main.ts', 'evidence', 'verify', file, ...knowing(trusted), '--json']
      return promisify(execFile)(process.execPath, args)
    }
    assert.equal(JSON.parse((await verified(fileOf(bytes))).stdout).code, code)
    const bent = fileOf(bytes.with(60, (bytes[60] ?? 0) ^ 1), 'bent')
    await assert.rejects(verified(bent), { code: EXIT.unproven.code })
  }
})
