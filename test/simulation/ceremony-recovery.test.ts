// Ceremonies across crashes, late messages and cut-overs: no attempt runs twice, and exactly the activated one is promoted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCeremony } from '../../relayer/bridge/checks.ts'
import { Problems } from '../../relayer/bridge/problems.ts'
import { signingMailbox } from '../../relayer/ceremony/mailbox.ts'
import { silentLog } from '../../relayer/lib/log.ts'
import { DisputeError } from '../../relayer/protocol/faults.ts'
import { decodeFrame } from '../../relayer/protocol/envelope.ts'
import { NonceBook } from '../../relayer/protocol/noncebook.ts'
import { hashedCommittee } from '../../relayer/protocol/party.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import { activationDigest, activationOf } from '../../relayer/protocol/typed.ts'
import { KEY } from '../../relayer/store/layout.ts'
import { BRIDGE, CeremonySim, CHAIN_ID, WINDOW } from '../support/ceremony-sim.ts'
import { seededRng } from '../support/seeded-rng.ts'

test('a member that restarts in the middle never runs that attempt again, and the next one completes', async () => {
  const sim = await CeremonySim.of('restart', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [fragile, ...others] = sim.relayers
  assert.ok(fragile !== undefined)
  // The power goes out when the prepared share is about to be written: after the marker, before the acknowledgement.
  fragile.disk.cut = ({ kind }) => (kind === 'file' ? 'before' : null)
  await sim.begin(spec)
  await sim.until(() => fragile.disk.writes.some(({ kind }) => kind === 'file'))
  await fragile.crash()
  fragile.disk.cut = () => null
  await fragile.start()
  assert.equal(await fragile.store.lastJoined(1), 0, 'the marker survived')
  assert.deepEqual(await fragile.store.prepared(1), [])
  fragile.run(spec)
  const starts: number[] = []
  sim.net.rule((packet) => {
    if (packet.from === fragile.address && packet.kind === 'frame') starts.push(sim.head)
    return 'pass'
  })
  await sim.mine(WINDOW - 1)
  assert.deepEqual(starts, [], 'it sends nothing more in attempt 0')
  for (const { view } of others) assert.deepEqual(view?.failures[0]?.suspects, [fragile.address])
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  assert.equal(fragile.activations[0]?.activation.attempt, 1)
  assert.deepEqual(
    (await others[0]?.store.prepared(1))?.map(({ attempt }) => attempt),
    [0, 1],
  )
  await sim.stop()
})

test('a member that crashed with its share prepared keeps it, and signs the activation after its restart', async () => {
  const sim = await CeremonySim.of('prepared restart', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [fragile, second, third] = sim.relayers
  assert.ok(fragile !== undefined && second !== undefined && third !== undefined)
  // Nobody may sign an activation before the crash.
  const deaf = sim.net.rule(({ topic }) =>
    topic === 'sign' || topic === 'certificate' || topic === 'activation' ? 'drop' : 'pass',
  )
  await sim.begin(spec)
  await sim.until(() => sim.relayers.every(({ view }) => view?.stage === 'signing'))
  await fragile.crash()
  await second.end()
  deaf()
  await fragile.start()
  fragile.run(spec)
  // Only the third still knows the certificate; it tells whoever announces itself.
  await sim.until(() => [fragile, third].every(({ activations }) => activations.length > 0), 3 * WINDOW)
  assert.equal(fragile.activations[0]?.activation.attempt, 0)
  await sim.stop()
})

test('a certificate that was withheld is revealed while attempt 1 runs: every node promotes exactly attempt 0', async () => {
  const sim = await CeremonySim.of('withheld certificate', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [holder, ...others] = sim.relayers
  assert.ok(holder !== undefined)
  // Its acknowledgement reaches nobody in time, nor what it could make of the others'.
  const withheld = sim.net.rule((packet) => {
    if (packet.from !== holder.address) return 'pass'
    if (packet.topic === 'certificate') return 'hold'
    if (packet.topic === 'sign' || packet.topic === 'activation') return 'drop'
    return packet.kind === 'frame' && decodeFrame(packet.body).round === 3 ? 'drop' : 'pass'
  })
  await sim.begin(spec)
  await sim.until(() => others.every(({ view }) => (view?.failureCount ?? 0) > 0))
  assert.equal(holder.view?.stage, 'signing')
  await sim.until(() => others.every(({ view }) => view?.stage === 'prepared' && view.attempt === 1))
  withheld()
  sim.net.release()
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  for (const { activations } of sim.relayers) assert.equal(activations[0]?.activation.attempt, 0)
  const [signed] = holder.activations
  assert.ok(signed !== undefined)
  await sim.activate(signed)
  for (const { store } of sim.relayers) {
    const active = await store.activeShare()
    assert.deepEqual([active?.epoch, active?.attempt], [1, 0])
    assert.deepEqual(
      (await store.retired()).map(({ attempt, reason }) => ({ attempt, reason })),
      [{ attempt: 1, reason: 'other-attempt' }],
    )
  }
  await sim.stop()
})

test('an active share never signs an activation: a coordinator asks the old committee, and every honest member refuses', async () => {
  const sim = await CeremonySim.of('old shares', 4)
  const old = sim.committee(1, 2, 0, 1, 2, 3)
  await sim.complete(sim.keygen(old))
  const spec = await sim.reshare('reshare', old, sim.committee(2, 2, 0, 1, 2))
  const [liar] = sim.relayers
  const record = await liar?.store.activeShare()
  const [key] = record?.keys ?? []
  assert.ok(liar && record && key)
  const forged = activationOf(spec, { ...record, epoch: 2, transcript: new Uint8Array(32) })
  const { epoch, attempt, transcript } = record
  const committee = hashedCommittee({ chainId: CHAIN_ID, bridge: BRIDGE }, record.committee)
  for (const [at, member] of committee.members.entries()) {
    if (member === liar.address) continue
    const signature = coordinateSignature({
      payload: { type: 'activation' },
      digest: activationDigest({ chainId: CHAIN_ID, bridge: BRIDGE }, forged),
      key,
      committee,
      book: new NonceBook(
        { keyId: 0, epoch, attempt, transcript, committeeHash: committee.hash },
        committee,
        'frost-secp256k1-evm',
      ),
      operator: liar.signer,
      mailbox: signingMailbox(liar.node),
      rng: seededRng(`liar ${at}`),
      patience: () => sim.clock.sleep(1000),
      include: [at + 1],
      signal: new AbortController().signal,
    })
    const outcome = signature.then(
      () => null,
      (error: unknown) => error,
    )
    for (let second = 0; second < 10; second++) {
      await sim.quiet()
      await sim.clock.advance(1000)
    }
    const error = await outcome
    assert.ok(error instanceof DisputeError)
    assert.match(error.message, /active shares do not sign activation/)
    assert.ok(error.suspects.some(({ address }) => address === member))
  }
  await sim.stop()
})

test('an operator that refuses a change does not deal, others do, and too many refusals are a veto with names', async () => {
  const sim = await CeremonySim.of('veto', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const [first, second, third] = sim.relayers
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  first.mayDeal = () => 'too many members change'
  second.mayDeal = () => 'not on a Friday'
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  await sim.begin(spec)
  await sim.mine(WINDOW - 1)
  for (const { view } of sim.relayers) {
    const reason = view?.failures[0]?.reason ?? ''
    assert.match(reason, new RegExp(`${first.address} refuses: too many members change`))
    assert.match(reason, new RegExp(`${second.address} refuses: not on a Friday`))
  }
  second.mayDeal = () => null
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  assert.deepEqual(third.view?.dealers, [second.address, third.address])
  await sim.stop()
})

test('requests that run at promotion are aborted and signed again by the new epoch', async () => {
  const sim = await CeremonySim.of('cut-over', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const [leader] = sim.relayers
  assert.ok(leader !== undefined)
  const hush = sim.net.rule(({ topic, from }) =>
    topic === 'sign' && from !== leader.address ? 'drop' : 'pass',
  )
  const order = {
    keyId: 0,
    payload: (epoch: number) => ({ type: 'probe' as const, probe: { keyId: 0, epoch, text: 'cut-over' } }),
  }
  const pending = leader.signing.sign(order, new AbortController().signal)
  await sim.quiet()
  hush()
  assert.equal(leader.signing.epoch, 1)
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  await sim.complete(spec)
  const signed = await pending
  assert.equal(signed.epoch, 2)
  await sim.stop()
})

test('a damaged record of what it prepared keeps a member from no later attempt, and shows with its remedy', async () => {
  const sim = await CeremonySim.of('damaged prepared', 3)
  const spec = sim.keygen(sim.committee(1, 2, 0, 1, 2))
  const [unlucky, other] = sim.relayers
  assert.ok(unlucky && other)
  const silence = sim.net.rule((packet) =>
    packet.kind === 'frame' && decodeFrame(packet.body).round === 3 ? 'drop' : 'pass',
  )
  await sim.begin(spec)
  await sim.until(() => sim.relayers.every(({ view }) => view?.stage === 'prepared'))
  silence()
  await unlucky.crash()
  const { records, files } = unlucky.disk.image()
  const record = records.get(KEY.share(1, 0))?.slice()
  assert.ok(record)
  unlucky.disk.restore({ records: new Map(records).set(KEY.share(1, 0), record.fill(7, -40, -20)), files })
  await unlucky.start()
  unlucky.run(spec)
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0))
  assert.ok((unlucky.activations[0]?.activation.attempt ?? 0) > 0)
  assert.equal(unlucky.failure, null)
  assert.match(unlucky.view?.setAside[0]?.reason ?? '', /read record share\/.*damaged/)
  const problems = new Problems(silentLog)
  checkCeremony({ problems }, unlucky.view)
  assert.match(problems.list()[0]?.remedy ?? '', /later attempts go on without them/)
  await sim.stop()
})
