// kill -9 before and after each durable step, on a real disk: after the restart all is completed, or a lost share restored.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { JsonRpcProvider } from 'ethers'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { deployBridge } from '../../scripts/deploy.ts'
import { truss, until } from '../../scripts/devnet/world.ts'
import { relayer } from '../support/devnet-world.ts'
import { OUTCOMES, type Outcome, trial } from '../support/fault-table.ts'
import { FaultWorld } from '../support/fault-world.ts'

const [, HEALED, LOST] = OUTCOMES
const part = 'disk'
/** Where a victim dies: flags of its entry point. */
type Death = readonly string[]

/** Each durable step of a refresh, as the disk sees it, and which of its occurrences where it has several. */
const REFRESH: readonly (readonly [name: string, step: string, nth?: string])[] = [
  ['ceremony record, with the cursor', 'put:ceremony/'],
  ['attempt marker', 'put:marker/'],
  ['key file of a prepared share', 'write:'],
  ['prepared share', 'put:share/'],
  ['note that the activation was signed for', 'put:seen/'],
  ['promotion: active pointer and marks', 'put:running'],
  ['destruction of the old key file', 'destroy:'],
  ['compaction before the deletion', 'compact:sealed/'],
  ['deletion of the old sealed share', 'del:sealed/'],
  ['compaction after the deletion', 'compact:sealed/', '2'],
  ['end of the erasure, with the receipt', 'del:share/'],
  ['receipt of another member', 'one:receipt/'],
]
/** The durable steps outside of one, each with what brings the victim there. */
const OTHERS: readonly (readonly [name: string, step: string, required: Outcome, go: Going])[] = [
  ['boot counter', 'put:boot', HEALED, atStart],
  ['cursor of the chain', 'one:cursor', HEALED, atStart],
  ['address and boot counter of a peer', 'put:peer/', HEALED, peerStarts],
  ['mark of a burned share', 'put:retired/', HEALED, burned],
  ["operator's approval of a change", 'put:decision/', HEALED, decided],
  ['end of an approval, with its change', 'del:decision/', HEALED, decided],
  ['block from which another bridge is watched', 'put:watched/', HEALED, watching],
  ['first record of an empty directory', 'put:schema', LOST, emptied],
  ['share declared lost', 'put:lost/', LOST, declaredLost],
]
type Going = (death: Death) => Promise<Outcome>

let faults: FaultWorld

before(async () => {
  faults = await FaultWorld.open()
})
after(() => faults.close())

async function duringRefresh(death: Death): Promise<Outcome> {
  await faults.start(...death)
  const epoch = await faults.refresh()
  await faults.died()
  await faults.start()
  return faults.healed(epoch)
}

async function atStart(death: Death): Promise<Outcome> {
  faults.startToDie(...death)
  await faults.died()
  await faults.start()
  return faults.healed(await faults.refresh())
}

async function peerStarts(death: Death): Promise<Outcome> {
  faults.startToDie(...death)
  const peer = relayer(faults.world, 1)
  await faults.world.halt(peer)
  await faults.world.start(peer)
  await faults.died()
  await faults.start()
  return faults.healed(await faults.refresh())
}

/** The refresh is called off when the victim has prepared its share, and all know that before they hear so. */
async function burned(death: Death): Promise<Outcome> {
  await faults.start(...death)
  faults.hold('after:put:share/')
  await faults.refresh()
  await faults.held()
  await faults.world.govern('cancel')
  await until('the others to know', 120_000, async () => {
    const all = await Promise.all(faults.world.up.map((node) => faults.world.status(node)))
    return all.every(
      ({ address, pendingEpoch }) => pendingEpoch === null || address === faults.victim.address,
    )
  })
  faults.release()
  await faults.died()
  await faults.start()
  return faults.healed(await faults.refresh())
}

/** While a member is away the refresh is pending, and the operator of the victim approves it. */
async function decided(death: Death): Promise<Outcome> {
  await faults.start(...death)
  const { world, victim } = faults
  const away = relayer(world, 2)
  await world.halt(away)
  const before = await faults.refresh()
  let asked: string[] = []
  await until('the change to be pending', 120_000, async () => {
    const { change } = await world.status(victim)
    if (change !== null) asked = [String(change.epoch), '--committee-hash', change.committeeHash]
    return change !== null
  })
  await truss(['reshare', 'approve', ...asked, '--yes', '--config', victim.config]).catch(() => {})
  await world.start(away)
  await faults.died()
  await faults.start()
  return faults.healed(before)
}

/** The operator has the victim watch a bridge on the other chain, which it has not seen yet. */
async function watching(death: Death): Promise<Outcome> {
  const { world, victim } = faults
  const provider = new JsonRpcProvider(world.otherRpcUrl, undefined, { cacheTimeout: -1 })
  const relayers = [...world.relayers.keys()].map(toAddress)
  const signer = await provider.getSigner(0)
  const { bridge } = await deployBridge({ signer, relayers, threshold: 2, windowBlocks: 32 })
  const { chainId } = await provider.getNetwork()
  provider.destroy()
  const other = `{ chainId: ${chainId}, bridge: "${bridge}", rpcUrls: ["${world.otherRpcUrl}"] }`
  const config = readFileSync(victim.config, 'utf8')
  writeFileSync(victim.config, `${config}otherBridges: [${other}]\n`)
  const seen = await atStart(death)
  writeFileSync(victim.config, config)
  return seen
}

async function emptied(death: Death): Promise<Outcome> {
  rmSync(faults.data, { recursive: true })
  faults.startToDie(...death)
  await faults.died()
  await faults.start()
  assert.equal(await faults.verdict(), 'alarms')
  return faults.restored()
}

async function declaredLost(death: Death): Promise<Outcome> {
  await faults.start(...death)
  await faults.inSight()
  await truss(['share', 'declare-lost', '--yes', '--config', faults.victim.config]).catch(() => {})
  await faults.died()
  await faults.start()
  return faults.restored()
}

const cases = [
  ...REFRESH.map(([name, step, nth = '1']) => [name, step, HEALED, duringRefresh, ['--nth', nth]] as const),
  ...OTHERS.map(([name, step, required, go]) => [name, step, required, go, []] as const),
]
for (const [name, step, required, go, flags] of cases)
  for (const when of ['before', 'after'])
    test(
      `killed ${when} the step "${name}": ${required}`,
      trial({ part, fault: `kill -9 ${when}: ${name}`, required: [required] }, async () => {
        await faults.halt()
        return go([...flags, '--die', `${when}:${step}`])
      }),
    )

test('there is no durable step but these', () => {
  const steps = [...REFRESH, ...OTHERS].map(([, step]) => step)
  const taken = readFileSync(faults.steps, 'utf8').trim().split('\n')
  const known = (line: string) => line.split(' ').some((name) => steps.some((step) => name.startsWith(step)))
  assert.deepEqual([...new Set(taken.filter((line) => !known(line)))], [])
})
