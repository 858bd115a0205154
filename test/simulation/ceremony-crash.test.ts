// The power goes out at every durable write of one member during a reshare, before and after it: the key survives each time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CeremonySim, WINDOW } from '../support/ceremony-sim.ts'
import type { CutPlace } from '../support/memory-database.ts'

/** A reshare of 2 of 3 in which one member loses power at its `number`th write; false if it has no such write. */
async function reshareWithCut(number: number, place: CutPlace): Promise<boolean> {
  const sim = await CeremonySim.of('crash', 3)
  const old = sim.committee(1, 2, 0, 1, 2)
  await sim.complete(sim.keygen(old))
  const [fragile, ...others] = sim.relayers
  assert.ok(fragile)
  const groupKey = (await fragile.store.activeShare())?.keys[0]?.groupKey
  const before = fragile.disk.writes.length
  let cut = false
  fragile.disk.cut = (write) => {
    if (cut || write.number !== before + number) return null
    cut = true
    return place
  }
  const spec = await sim.reshare('refresh', old, sim.committee(2, 2, 0, 1, 2))
  await sim.begin(spec)
  await sim.until(() => cut || fragile.activations.length > 0)
  fragile.disk.cut = () => null
  if (cut) {
    await fragile.crash()
    await fragile.start()
    // Whatever it had: its active share of the old epoch is there.
    assert.deepEqual((await fragile.store.activeShare())?.epoch, 1)
    fragile.run(spec, { held: await sim.heldBy(fragile, spec) })
  }
  await sim.until(() => sim.relayers.every(({ activations }) => activations.length > 0), 4 * WINDOW)
  const [signed] = others[0]?.activations ?? []
  assert.ok(signed)
  await sim.activate(signed)
  for (const { store } of sim.relayers) {
    const record = await store.activeShare()
    // Who missed the activated attempt holds no share of it until the next refresh; everybody else signs.
    if (record !== null) assert.deepEqual([record.epoch, record.keys[0]?.groupKey], [2, groupKey])
  }
  const holding = await Promise.all(sim.relayers.map(({ store }) => store.activeShare()))
  assert.ok(holding.filter((record) => record !== null).length >= 2, 'a threshold holds usable shares')
  const order = {
    keyId: 0,
    payload: (epoch: number) => ({ type: 'probe' as const, probe: { keyId: 0, epoch, text: 'alive' } }),
  }
  const probe = await others[0]?.signing.sign(order, new AbortController().signal)
  assert.equal(probe?.epoch, 2)
  await sim.stop()
  return cut
}

for (const place of ['before', 'after'] as const)
  test(`31 power cuts ${place} every durable write of a member leave a committee that signs`, async () => {
    let number = 1
    while (await reshareWithCut(number, place)) number += 1
    assert.ok(
      number > 4,
      `marker, key file, record and the note before signing were cut: ${number - 1} writes`,
    )
  })
