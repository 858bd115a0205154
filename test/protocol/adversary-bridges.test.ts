// An operator that serves two bridges with one key: what it signs for one convicts nobody at the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeEvidence } from '../../relayer/ceremony/evidence.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { hashedCommittee } from '../../relayer/protocol/party.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { encodeSignEvidence, verifySignEvidence } from '../../relayer/protocol/signfault.ts'
import { decodeMessage, type SignMessage } from '../../relayer/protocol/signwire.ts'
import { specOf } from '../support/ceremony-run.ts'
import { DOMAIN, SigningWorld } from '../support/signing.ts'

/** Committees of 2 of 3 and 2 of 4: the members of the first are members of the second, where a fourth sorts before them. */
function worlds(): { here: SigningWorld; there: SigningWorld } {
  for (let at = 0; ; at++) {
    const seed = `two bridges ${at}`
    const [here, there] = [new SigningWorld({ t: 2, n: 3, seed }), new SigningWorld({ t: 2, n: 4, seed })]
    const shifted = here.committee.members.every((address, i) => there.committee.members[i + 1] === address)
    if (shifted) return { here, there }
  }
}

void test('an honest share for one committee is no evidence for another, in which its signer has another index', async () => {
  const { here, there } = worlds()
  const honest = there.address(3)
  assert.equal(honest, here.address(2))
  const seen: { from: string; message: SignMessage }[] = []
  there.network.rule((packet) => {
    seen.push({ from: packet.from, message: decodeMessage(packet.body) })
    return 'pass'
  })
  await coordinateSignature({ ...there.coordination(2), include: [3] })
  const sent = seen.flatMap(({ message }) => (message.type === 'package' ? [message] : []))[0]
  const share = seen.flatMap(({ from, message }) =>
    from === honest && message.type === 'share' ? [message] : [],
  )[0]
  assert.ok(sent && share)
  const record = encodeSignEvidence({
    kind: 'share',
    body: sent.body,
    index: 2, // its index here; the package has an entry of that index: the leader's own
    digest: share.digest,
    z: share.z,
    signature: share.signature,
    commitments: there.member(2).shares[0]?.commitments ?? [],
  })
  assert.equal(verifySignEvidence(record, there.committee), null)
  assert.equal(verifySignEvidence(record, here.committee), null)
  const spec = specOf({ op: 'keygen', next: here.committee })
  assert.equal(judgeEvidence(record, spec), null)
})

void test('a deed convicts under the hash of its own committee alone: another chain, bridge or epoch knows it not', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'one bridge' })
  const packages: (SignMessage & { type: 'package' })[] = []
  world.network.rule((packet) => {
    const message = decodeMessage(packet.body)
    if (message.type === 'package') packages.push(message)
    return 'pass'
  })
  // Two runs with one id: two packages for session 1 of one run, which an honest leader never signs.
  const run = new Uint8Array(16).fill(5)
  const rng = (length: number) => (length === 16 ? run : new Uint8Array(length).fill(7))
  for (const include of [[2], [3]]) await coordinateSignature({ ...world.coordination(1), rng, include })
  const [first] = packages
  const second = packages.find(({ body }) => Buffer.compare(body, first?.body ?? body) !== 0)
  assert.ok(first && second)
  const record = encodeSignEvidence({ kind: 'packages', first, second })
  assert.equal(verifySignEvidence(record, world.committee)?.culprit.address, world.address(1))
  const { committee } = world
  const elsewhere = [
    hashedCommittee({ ...DOMAIN, chainId: DOMAIN.chainId + 1 }, committee),
    hashedCommittee({ ...DOMAIN, bridge: toAddress(`0x${'b2'.repeat(20)}`) }, committee),
    hashedCommittee(DOMAIN, { ...committee, epoch: committee.epoch + 1 }),
    hashedCommittee(DOMAIN, { ...committee, threshold: 3 }),
  ]
  for (const other of elsewhere) assert.equal(verifySignEvidence(record, other), null)
})
