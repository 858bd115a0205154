// A fixed chain of ceremonies with fixed randomness, run by the product and by the reference model, for known answers.
import assert from 'node:assert/strict'
import { type Address, fromHex, toHex } from '../../relayer/lib/bytes.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import type { CeremonySpec } from '../../relayer/protocol/spec.ts'
import {
  committeeOf,
  operators,
  preparedOf,
  type Run,
  registered,
  runCeremony,
  sharesOf,
  specOf,
} from './ceremony-run.ts'
import { type ModelKey, type ModelResult, run as runModel } from './reference/ceremony.ts'
import { seededRng } from './seeded-rng.ts'

/** The steps: what is asked for, and who deals. */
const STEPS = [
  { name: 'keygen 2-of-3', op: 'keygen', epoch: 1, members: [1, 2, 3], t: 2, adds: 'frost-secp256k1-evm' },
  {
    name: 'add a BIP-340 key',
    op: 'addkey',
    epoch: 2,
    members: [1, 2, 3],
    t: 2,
    adds: 'frost-secp256k1-bip340',
  },
  { name: 'add an ed25519 key', op: 'addkey', epoch: 3, members: [1, 2, 3], t: 2, adds: 'frost-ed25519' },
  { name: 'reshare 2-of-3 to 3-of-5', op: 'reshare', epoch: 5, members: [2, 3, 4, 5, 6], t: 3, adds: null },
  { name: 'refresh 3-of-5', op: 'refresh', epoch: 8, members: [2, 3, 4, 5, 6], t: 3, adds: null },
] as const

/** One step as both sides came out of it. */
export interface Step {
  readonly name: string
  readonly committee: readonly Address[]
  /** What each member prepared, in member order. */
  readonly prepared: readonly Prepared[]
  readonly model: ModelResult
}

/** Runs the whole chain. */
export async function runChain(): Promise<Step[]> {
  const crowd = operators(1, 2, 3, 4, 5, 6)
  const steps: Step[] = []
  let last: Run | null = null
  let keys: ModelKey[] = []
  for (const { name, op, epoch, members, t, adds } of STEPS) {
    const next = committeeOf(epoch, operators(...members), t)
    const generated = adds === null ? [] : [{ keyId: keys.length, scheme: adds }]
    const held = last === null ? [] : registered(preparedOf(last, last.spec.next.members[0] ?? '0x'))
    const spec: CeremonySpec = specOf({ op, next, generated, held, old: last?.spec.next ?? null })
    // Not the first t, so that indices and order matter.
    const dealers = last === null ? [] : Array.from({ length: last.spec.next.threshold }, (_, at) => at + 2)
    const run: Run = await runCeremony({
      spec,
      signers: crowd,
      dealers,
      attempt: 3,
      seed: name,
      ...(last === null ? {} : { held: sharesOf(last) }),
    })
    const { attempt, startNonce } = run.start.start
    const bytesOf = ({ members: all, ...rest }: CeremonySpec['next']) => ({
      ...rest,
      members: all.map(fromHex),
    })
    const model = runModel({
      op,
      chainId: spec.chainId,
      bridge: fromHex(spec.bridge),
      keys: [...keys, ...generated.map((key) => ({ ...key, sharing: null }))],
      old: spec.old === null ? null : bytesOf(spec.old),
      next: bytesOf(next),
      trigger: spec.triggerBlockHash,
      attempt,
      dealers,
      startNonce,
      rngOf: (member) => seededRng(`${name}/0x${toHex(member)}/${attempt}`),
    })
    const prepared = next.members.map((address) => preparedOf(run, address))
    assert.equal(prepared.length, members.length)
    steps.push({ name, committee: next.members, prepared, model })
    keys = [...model.keys]
    last = run
  }
  return steps
}
