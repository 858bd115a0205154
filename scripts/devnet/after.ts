// What is looked at after every step: probes of every key, group keys, receipts, erasure, and a member that returns from a copy.
import { join } from 'node:path'
import { type Committee, committee, completed, nameOf, receiptsOf, untilAllSign } from './governance.ts'
import type { GroupKey, ReshareRecord, StepRecord } from './summary.ts'
import { countTraces, copyDirectory, type Traces, tracesOf } from './traces.ts'
import { type Probe, verifyProbe } from './verify.ts'
import { CHAIN_ID, type RelayerNode, run, truss, until, type World } from './world.ts'

/** A test's own entry point: it starts a member from a copied data directory, past the daemon's own refusals. */
const RETURNING_MEMBER = 'test/e2e/entries/returning-member.ts'
const ERASURE_MS = 90_000
const RETURN_MS = 90_000

/** What was there before a step that supersedes an epoch. */
export interface Before {
  readonly epoch: number
  readonly groupKeys: readonly GroupKey[]
  readonly copies: ReadonlyMap<string, string>
}

/** Copies the data directories of all members that run. */
export async function lookBefore(world: World, step: string): Promise<Before> {
  const { epoch, keys, members } = await committee(world)
  const copies = new Map<string, string>()
  for (const relayer of world.up.filter(({ address }) => members.includes(address))) {
    const copy = join(world.directory, 'copies', step, relayer.name)
    copyDirectory(join(relayer.directory, 'data'), join(copy, 'data'))
    copies.set(relayer.address, copy)
  }
  return { epoch, groupKeys: keys, copies }
}

/** Signs a probe with every key by a quorum that includes `newest`, and verifies each. @throws Error if one does not */
export async function probeAll(
  world: World,
  step: string,
  newest: RelayerNode,
): Promise<StepRecord['probes']> {
  const { keys, epoch } = await committee(world)
  const probes: (Probe & { verified: boolean })[] = []
  for (const { keyId, scheme, groupKey } of keys) {
    const asked = ['--key', String(keyId), '--text', `devnet step ${step}`, '--include', newest.address]
    const answer = (await truss(['sign-probe', ...asked, '--config', newest.config])) as {
      epoch: number
      text: string
      signature: string
      signers: string[]
    } // CAST: what `sign-probe --json` prints; every field is verified below
    const { text, signature, signers } = answer
    const probe = { keyId, scheme, epoch: answer.epoch, text, groupKey, signature, quorum: signers }
    const verified = await verifyProbe(probe, CHAIN_ID, world.bridge)
    if (!verified || probe.epoch !== epoch || !signers.includes(newest.address))
      throw new Error(
        `step ${step}: the probe of key ${keyId} (${scheme}) does not hold: ${JSON.stringify(probe)}`,
      )
    probes.push({ ...probe, verified })
  }
  return probes
}

/** Waits for the change, then looks at everything that has to hold after a reshare. @throws Error for what does not */
export async function lookAfter(world: World, step: string, before: Before): Promise<ReshareRecord> {
  const now = await completed(world, before.epoch)
  for (const { keyId, groupKey } of before.groupKeys)
    if (now.keys.find((key) => key.keyId === keyId)?.groupKey !== groupKey)
      throw new Error(`step ${step}: the group key of key ${keyId} changed`)
  const traces = await erased(world, step, before)
  const { receipts, needed } = await receiptsOf(world, before.epoch)
  const events = await world.bridge.queryFilter('ReshareCompleted', 0)
  const done = events.some((event) => 'args' in event && Number(event.args[0]) === before.epoch)
  if (!done || receipts.length < needed)
    throw new Error(
      `step ${step}: epoch ${before.epoch} has ${receipts.length} of ${needed} receipts, completed: ${done}`,
    )
  const returning = await memberReturns(world, before, now)
  return { superseded: before.epoch, receipts, receiptsNeeded: needed, completed: done, traces, returning }
}

/** Waits until no file of a running member holds a trace of the superseded epoch's shares. */
async function erased(world: World, step: string, before: Before): Promise<ReshareRecord['traces']> {
  const all: Traces[] = []
  for (const [address, copy] of before.copies) {
    const traces = await tracesOf(join(copy, 'data'), before.epoch)
    if (traces.records === 0)
      throw new Error(`step ${step}: the copy of ${nameOf(world, address)} holds no share`)
    all.push(traces)
  }
  const needles = all.flatMap((traces) => traces.needles)
  const traces = { records: all.length, needles }
  const found = () =>
    world.up.reduce((sum, { directory }) => sum + countTraces(join(directory, 'data'), traces), 0)
  try {
    await until('every running member to have erased its old share', ERASURE_MS, async () => found() === 0)
  } catch {
    throw new Error(`step ${step}: ${found()} traces of shares of epoch ${before.epoch} are still on disk`)
  }
  return { taken: needles.length, found: 0 }
}

/**
 * Stops a member of both committees, starts it from its copy instead, and then properly again: the others refuse the copy,
 * and its old share among new ones signs nothing.
 */
async function memberReturns(
  world: World,
  before: Before,
  now: Committee,
): Promise<ReshareRecord['returning']> {
  const relayer = world.up.find(({ address }) => before.copies.has(address) && now.members.includes(address))
  const copy = before.copies.get(relayer?.address ?? '')
  if (relayer === undefined || copy === undefined) throw new Error('devnet: nobody is in both committees')
  await world.halt(relayer)
  const current = world.up
    .filter(({ address }) => now.members.includes(address))
    .map((one) => {
      const to = join(copy, 'now', one.name)
      copyDirectory(join(one.directory, 'data'), join(to, 'data'))
      return `${one.config}=${join(to, 'data')}`
    })
  const args = ['--config', relayer.config, '--data', join(copy, 'data'), '--now', current.join(',')]
  const said = (await run([RETURNING_MEMBER, ...args])) as {
    refusals: string[]
    mixedSignatureValid: boolean
  } // CAST: our own entry point; both fields are checked here
  await world.start(relayer)
  await untilAllSign(world, { what: `${relayer.name} to sign again`, epoch: now.epoch, ms: RETURN_MS })
  const named = said.refusals.every(
    (line) => line.includes(`epoch ${before.epoch}`) && line.includes(`epoch ${now.epoch}`),
  )
  if (said.refusals.length < current.length || !named || said.mixedSignatureValid !== false)
    throw new Error(
      `a member that returned from epoch ${before.epoch} was not refused: ${JSON.stringify(said)}`,
    )
  return { member: relayer.address, ...said }
}
