// The contract suite of the Chain port: what every implementation does, told by one set of tests.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Activation, Chain, SignedReceipt } from '../../relayer/chain/chain.ts'
import { type Address, fromHex, type Hex, to0x, toAddress } from '../../relayer/lib/bytes.ts'
import { ChainError } from '../../relayer/lib/errors.ts'
import {
  activationDigest,
  activationHash,
  readinessDigest,
  receiptDigest,
} from '../../relayer/protocol/typed.ts'
import { GroupKey } from './group-key.ts'
import { people, sign, word } from './people.ts'

/** A chain under test: a Bridge with people 0 to 2, threshold 2, finality depth 2. */
export interface ChainWorld {
  /** Two nodes of the chain, each with an account of its own that can pay. */
  readonly chain: Chain
  readonly other: Chain
  /** A governance call, mined. */
  readonly govern: (method: string, args?: readonly unknown[]) => Promise<void>
  readonly mine: (blocks?: number) => Promise<void>
  readonly mineUntil: <T>(promise: Promise<T>) => Promise<T>
  readonly mark: () => Promise<unknown>
  /** Replaces the blocks since the mark (at most 2) by others without their transactions. */
  readonly rewind: (mark: unknown) => Promise<void>
}

export const FIRST = people(0, 3)
export const GROUP = new GroupKey(0x5eed5eed5eedn)
const NEWCOMER = toAddress(people(3, 4)[0] ?? '')

/** What the pending committee would send: everything signed. */
export async function signedActivation(chain: Chain, overrides: Partial<Activation> = {}) {
  const head = await chain.head()
  const { pending, keys } = await chain.committeeState(head)
  assert.ok(pending, 'no ceremony is pending')
  const { members, committeeHash } = await chain.epochInfo(pending.epoch, head)
  const added = pending.addedScheme === null ? [] : [pending.addedScheme]
  const schemes = [...keys.map(({ scheme }) => scheme), ...added]
  const activation: Activation = {
    epoch: pending.epoch,
    attempt: 7,
    committeeHash,
    keys: schemes.map((scheme, keyId) => ({
      keyId,
      groupKey: scheme === 3 ? word(3) : GROUP.publicKey,
      commitmentsHash: word(100 * pending.epoch + keyId),
    })),
    transcriptHash: word(pending.epoch),
    ...overrides,
  }
  const hash = activationHash(activation)
  const readiness = members.map((member) => sign(member, to0x(readinessDigest(chain, hash, member))))
  return { activation, readiness, groupSignature: GROUP.sign(1, to0x(activationDigest(chain, activation))) }
}

/** A receipt as its relayer signs it. */
export function signedReceipt(
  chain: Chain,
  { epoch, relayer, successorEpoch }: { epoch: number; relayer: Address; successorEpoch: number },
): SignedReceipt {
  const receipt = { epoch, relayer, successorEpoch, outstandingBackups: 0 }
  return { ...receipt, signature: sign(relayer, to0x(receiptDigest(chain, receipt))) }
}

/** Registers the suite for one implementation. */
export function chainSuite(name: string, open: (t: TestContext) => Promise<ChainWorld>): void {
  const tests: readonly [title: string, run: (world: ChainWorld) => Promise<void>][] = [
    ['a keygen is read, activated and found activated by whoever comes second', keygen],
    ['a reshare is superseding, and receipts complete it', reshare],
    ['a burned epoch is not activated', burned],
    ['an activation that the bridge refuses is an error that says why', refused],
    ['blocks, finality and the signal', blocks],
    ['a reorganisation takes back state, events and blocks above the final one', reorganised],
  ]
  for (const [title, run] of tests) test(`${name}: ${title}`, async (t) => run(await open(t)))
}

async function keygen({ chain, other, ...world }: ChainWorld): Promise<void> {
  const before = await chain.committeeState(await chain.head())
  assert.deepEqual(
    { phase: before.phase, members: before.members, pending: before.pending, epoch: before.epoch },
    { phase: 'idle', members: [...FIRST].sort(), pending: null, epoch: 0 },
  )
  await world.govern('startKeygen')
  const head = await chain.head()
  const state = await chain.committeeState(head)
  assert.deepEqual(state, {
    at: head,
    phase: 'keygen',
    epoch: 0,
    members: [...FIRST].sort(),
    threshold: 2,
    pending: {
      kind: 'keygen',
      epoch: 1,
      predecessor: 0,
      startBlock: head.number,
      windowBlocks: 20,
      addedScheme: null,
    },
    keys: [{ keyId: 0, scheme: 1, groupKey: '0x' }],
    attemptWindowBlocks: 20,
    requireDeletionQuorum: true,
    outstandingEpoch: 0,
  })
  assert.equal(await chain.activation(1, head), null)
  const args = await signedActivation(chain)
  const outcome = await world.mineUntil(chain.activate(args))
  assert.equal(outcome.kind, 'mined')
  assert.deepEqual(await other.activate(args), { kind: 'already-done' })
  const now = await other.head()
  const event = await other.activation(1, now)
  assert.deepEqual(event?.activation, args.activation)
  assert.equal(event?.groupSignature, args.groupSignature)
  assert.deepEqual(event?.block, outcome.kind === 'mined' && outcome.block)
  const info = await other.epochInfo(1, now)
  assert.deepEqual(
    { status: info.status, attempt: info.attempt, transcriptHash: info.transcriptHash },
    { status: 'active', attempt: 7, transcriptHash: word(1) },
  )
  assert.deepEqual(info.commitmentsHashes, [{ keyId: 0, hash: word(100) }])
  assert.equal((await other.committeeState(now)).keys[0]?.groupKey, GROUP.publicKey)
  const { balance, activationCost } = await chain.funds()
  assert.ok(balance > activationCost && activationCost > 0n)
}

/** Runs a keygen to its end. */
async function running({ chain, mineUntil, govern }: ChainWorld): Promise<void> {
  await govern('startKeygen')
  await mineUntil(chain.activate(await signedActivation(chain)))
}

async function reshare(world: ChainWorld): Promise<void> {
  const { chain, other } = world
  await running(world)
  const from = (await chain.head()).number + 1
  await world.govern('adminAddRelayer', [NEWCOMER])
  await world.mineUntil(chain.activate(await signedActivation(chain)))
  const active = await other.committeeState(await other.head())
  assert.deepEqual([active.phase, active.epoch, active.outstandingEpoch], ['active', 2, 1])
  const receipts = FIRST.slice(0, 2).map((relayer) =>
    signedReceipt(chain, { epoch: 1, relayer, successorEpoch: 2 }),
  )
  const sent = await world.mineUntil(chain.recordDeletions(receipts))
  assert.equal(sent.kind, 'mined')
  assert.deepEqual(await other.recordDeletions(receipts), { kind: 'already-done' })
  const head = await other.head()
  assert.equal((await other.committeeState(head)).phase, 'complete')
  const old = await other.epochInfo(1, head)
  assert.deepEqual([old.status, old.successor, old.receiptsNeeded], ['superseded', 2, 2])
  assert.deepEqual([...old.receipts].sort(), FIRST.slice(0, 2).sort())
  const events = await other.events(from, head.number)
  assert.deepEqual(
    events.map(({ name }) => name),
    [
      'RelayerAdded',
      'ThresholdBelowMajority',
      'CeremonyStarted',
      'EpochActivated',
      'ShareDeleted',
      'ShareDeleted',
      'ReshareCompleted',
    ],
  )
  const { committeeHash } = await other.epochInfo(2, head)
  assert.deepEqual(events[0]?.args, { relayer: NEWCOMER })
  assert.deepEqual(events[2]?.args, {
    kind: 'reshare',
    epoch: 2,
    predecessor: 1,
    committeeHash,
    startBlock: from,
    windowBlocks: 20,
  })
  assert.deepEqual(events[6]?.args, { epoch: 1 })
}

async function burned(world: ChainWorld): Promise<void> {
  const { chain } = world
  await running(world)
  await world.govern('adminAddRelayer', [NEWCOMER])
  const args = await signedActivation(chain)
  await world.govern('adminChangeRelayerThreshold', [3])
  assert.deepEqual(await chain.activate(args), { kind: 'already-done' })
  const head = await chain.head()
  const info = await chain.epochInfo(2, head)
  assert.deepEqual([info.status, info.successor], ['burned', 1])
  assert.deepEqual((await chain.committeeState(head)).pending?.epoch, 3)
  await world.govern('adminCancelCeremony')
  const state = await chain.committeeState(await chain.head())
  assert.deepEqual([state.phase, state.epoch], ['complete', 1])
}

async function refused({ chain, govern }: ChainWorld): Promise<void> {
  await govern('startKeygen')
  const args = await signedActivation(chain)
  const [first, ...rest] = args.readiness
  const forged: Hex = to0x(
    fromHex(first ?? '0x')
      .with(40, 1)
      .with(41, 2),
  )
  await assert.rejects(chain.activate({ ...args, readiness: [forged, ...rest] }), {
    name: /Error$/,
    message: /activate.*BadReadiness/,
  })
  await assert.rejects(chain.activate({ ...args, groupSignature: GROUP.sign(1, word(5)) }), (error) => {
    assert.ok(error instanceof ChainError)
    assert.match(error.message, /BadGroupSignature/)
    return true
  })
}

async function blocks({ chain, mine }: ChainWorld): Promise<void> {
  await mine(6)
  const head = await chain.head()
  assert.equal((await chain.finalised()).number, head.number - 2)
  assert.equal((await chain.deeplyFinalised()).number, head.number - 4)
  assert.deepEqual(await chain.block(head.number), head)
  assert.equal(await chain.block(head.number + 1), null)
  assert.deepEqual(await chain.finalised(), await chain.block(head.number - 2))
  assert.deepEqual(await chain.events(head.number, head.number), [])
  const stop = new Error('stop')
  for (const call of [
    () => chain.head(AbortSignal.abort(stop)),
    () => chain.finalised(AbortSignal.abort(stop)),
    () => chain.committeeState(head, AbortSignal.abort(stop)),
    () => chain.events(0, 1, AbortSignal.abort(stop)),
  ])
    await assert.rejects(call, stop)
}

async function reorganised({ chain, govern, mine, mark, rewind }: ChainWorld): Promise<void> {
  await mine(4)
  const final = await chain.finalised()
  const place = await mark()
  await govern('startKeygen')
  const dropped = await chain.head()
  assert.equal((await chain.committeeState(dropped)).phase, 'keygen')
  await rewind(place)
  const instead = await chain.block(dropped.number)
  assert.ok(instead)
  assert.notEqual(instead.hash, dropped.hash)
  await assert.rejects(chain.committeeState(dropped), ChainError)
  assert.equal((await chain.committeeState(await chain.head())).phase, 'idle')
  assert.deepEqual(await chain.events(dropped.number, (await chain.head()).number), [])
  assert.deepEqual(await chain.block(final.number), final)
}
