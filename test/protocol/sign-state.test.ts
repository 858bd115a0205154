// Signing: an active share never signs an activation, a prepared one signs its own activation only, and only once certified.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { fromHex } from '../../relayer/lib/bytes.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import type { Coordination } from '../../relayer/protocol/coordination.ts'
import { DisputeError, SilenceError } from '../../relayer/protocol/faults.ts'
import { coordinateSignature } from '../../relayer/protocol/roast.ts'
import {
  type Activation,
  activationDigest,
  activationHash,
  activationOf,
  readinessDigest,
} from '../../relayer/protocol/typed.ts'
import { seededRng } from '../support/seeded-rng.ts'
import { DOMAIN, SigningWorld } from '../support/signing.ts'

/** The activation of a world's shares, as each member builds it. */
function activationIn(world: SigningWorld): Activation {
  const keys = world.member(1).shares
  return activationOf({ ...DOMAIN, next: world.committee }, { ...world.common, keys })
}

/** Readiness signatures of all members over an activation. */
function certificateOf(world: SigningWorld, activation: Activation) {
  const hash = activationHash(activation)
  const readiness = world.members.map(({ operator }) =>
    operator.sign(readinessDigest(DOMAIN, hash, operator.address)),
  )
  return { transcript: fromHex(activation.transcriptHash), readiness }
}

/** A world whose members hold prepared shares, none of them certified. */
function preparedWorld(seed: string, authorize?: (digest: Uint8Array) => Uint8Array) {
  const world = new SigningWorld({ t: 2, n: 3, seed })
  const activation = activationIn(world)
  const digest = activationDigest(DOMAIN, activation)
  for (const { index } of world.members)
    world.reopen(index, {
      state: { kind: 'prepared', domain: DOMAIN, activation },
      authorize: () => authorize?.(digest) ?? digest,
    })
  return { world, activation, digest }
}

function activationRun(world: SigningWorld, digest: Uint8Array): Coordination {
  return { ...world.coordination(1), payload: { type: 'activation' }, digest }
}

const nobody = (world: SigningWorld) =>
  assert.deepEqual(
    world.members.flatMap(({ faults }) => faults),
    [],
  )

void test('certified prepared shares sign their activation', async () => {
  const { world, activation, digest } = preparedWorld('prepared')
  for (const { signer } of world.members) await signer.certify(certificateOf(world, activation))
  const { signature } = await coordinateSignature(activationRun(world, digest))
  const key = world.member(1).shares[0]
  assert.ok(key && verifySignature(key, digest, signature))
  nobody(world)
})

void test('prepared shares stay silent until certified, and then answer whoever asked', async () => {
  const { world, activation, digest } = preparedWorld('waiting')
  await assert.rejects(coordinateSignature(activationRun(world, digest)), SilenceError)
  const coordination = activationRun(world, digest)
  let waits = 0
  const patience = async () => {
    await coordination.patience()
    if (++waits === 2)
      for (const { signer } of world.members) await signer.certify(certificateOf(world, activation))
    await world.network.idle()
  }
  const { sessions } = await coordinateSignature({ ...coordination, patience })
  assert.equal(sessions, 1)
  nobody(world)
})

void test('a coordinator that asks active shares for an activation is refused by every honest member', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'active' })
  const digest = activationDigest(DOMAIN, activationIn(world))
  // Even a policy that would give the digest away does not help.
  for (const { index } of world.members) world.reopen(index, { authorize: () => digest })
  await assert.rejects(coordinateSignature(activationRun(world, digest)), (error) => {
    assert.ok(error instanceof DisputeError)
    assert.match(error.message, /E_STATE: active shares do not sign activation/)
    return true
  })
  nobody(world)
})

void test('certified prepared shares sign nothing but the activation', async () => {
  const { world, activation } = preparedWorld('probe')
  for (const { signer } of world.members) await signer.certify(certificateOf(world, activation))
  await assert.rejects(world.probe(1), /E_STATE: certified shares do not sign probe/)
  nobody(world)
})

void test('a prepared share does not sign an activation that is not that of its own record', async () => {
  const { world, activation } = preparedWorld('foreign', () => new Uint8Array(32).fill(5))
  for (const { signer } of world.members) await signer.certify(certificateOf(world, activation))
  const run = coordinateSignature(activationRun(world, new Uint8Array(32).fill(5)))
  await assert.rejects(run, /E_POLICY: the digest is not that of our own prepared record/)
  nobody(world)
})

void test('a leader that is promoted first draws on the active nonces of the others as soon as they are promoted too', async () => {
  const { world, activation } = preparedWorld('promoted first')
  const boot = { counter: 9, id: new Uint8Array(16).fill(9) }
  const certificate = certificateOf(world, activation)
  // Whatever counters the two pools begin with: one process, one boot.
  const drawing = (first: number) => {
    const rng = seededRng(`promoted first/${first}`)
    return { boot, rng: (length: number) => (length === 5 ? new Uint8Array(5).fill(first) : rng(length)) }
  }
  world.reopen(1)
  for (const index of [2, 3]) {
    world.reopen(index, { state: { kind: 'prepared', domain: DOMAIN, activation }, ...drawing(200) })
    await world.member(index).signer.certify(certificate)
  }
  await assert.rejects(world.probe(1), /E_STATE: certified shares do not sign probe/)
  for (const index of [2, 3]) world.reopen(index, drawing(100))
  for (const index of [2, 3]) {
    const { quorum } = await coordinateSignature({ ...world.coordination(1), include: [index] })
    assert.ok(quorum.includes(index))
  }
  nobody(world)
})

void test('an incomplete, foreign or forged certificate does not certify', async () => {
  const { world, activation } = preparedWorld('forged')
  const { signer } = world.member(2)
  const good = certificateOf(world, activation)
  const [first, second] = good.readiness
  assert.ok(first && second)
  const other = { ...activation, attempt: activation.attempt + 1 }
  const bad = [
    { ...good, transcript: new Uint8Array(32) },
    { ...good, readiness: good.readiness.slice(1) },
    { ...good, readiness: [...good.readiness, first] },
    { ...good, readiness: [second, first, ...good.readiness.slice(2)] },
    { ...good, readiness: certificateOf(world, other).readiness },
  ]
  for (const certificate of bad) await assert.rejects(signer.certify(certificate), InputError)
  const active = new SigningWorld({ t: 2, n: 3, seed: 'forged' })
  await assert.rejects(active.member(1).signer.certify(good), InputError)
})

void test('of a large committee others get a turn while the readiness of all is verified', async () => {
  const world = new SigningWorld({ t: 2, n: 40, seed: 'large' })
  const activation = activationIn(world)
  let turns = 0
  const pause = () => Promise.resolve(void (turns += 1))
  world.reopen(1, { state: { kind: 'prepared', domain: DOMAIN, activation }, pause })
  await world.member(1).signer.certify(certificateOf(world, activation))
  assert.equal(turns, 2)
})

void test('a leader left behind in an old epoch is told both epochs; of another attempt nobody hears', async () => {
  const world = new SigningWorld({ t: 2, n: 3, seed: 'closed' })
  await world.probe(1)
  await world.network.idle()
  world.reopen(2, { epoch: 4 })
  world.reopen(3, { attempt: 9 })
  const refusals: string[] = []
  const onRefusal = (index: number, reason: string) => refusals.push(`${index} ${reason}`)
  await assert.rejects(coordinateSignature({ ...world.coordination(1), onRefusal }), (error) => {
    assert.ok(error instanceof SilenceError)
    assert.deepEqual(
      error.suspects.map(({ address }) => address),
      [world.address(3)],
    )
    return true
  })
  assert.deepEqual(refusals, ['2 signs with the share of epoch 4, not of epoch 3'])
  // The one ahead asks those behind: they hold no such share, and say nothing that would stop prepared ones.
  const ahead = { ...world.coordination(2), key: world.member(2).shares[0] ?? world.coordination(1).key }
  await assert.rejects(coordinateSignature(ahead), SilenceError)
  nobody(world)
})
