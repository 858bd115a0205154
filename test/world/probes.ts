// In the calm every key signs, in one attempt, however many of the members that ROAST can do without are corrupt.
import { schemeOf } from '../../relayer/bridge/committee.ts'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { fromHex } from '../../relayer/lib/bytes.ts'
import { messageOf } from '../../relayer/lib/errors.ts'
import type { Member } from './member.ts'
import type { World } from './world.ts'

/** Blocks after which a probe is given up. */
const PATIENCE = 60

/** One honest member that holds a share asks for a probe of each key; where too few do, nothing is claimed. */
export async function probes(world: World): Promise<void> {
  const { chain, members, chronicle } = world
  const { running, epochs, keys } = chain.head.state
  const epoch = epochs[running]
  if (epoch === undefined) return
  const able = members.filter(
    ({ corrupt, up, address, wholeFrom }) =>
      !corrupt && up && wholeFrom <= running && epoch.members.includes(address),
  )
  const [asking] = able
  if (asking === undefined || able.length < epoch.threshold) return
  for (const { keyId, groupKey, scheme } of keys) {
    const key = { scheme: schemeOf(scheme), groupKey: fromHex(groupKey) }
    const failures = asking.failedAttempts
    const wrong = await probe(world, asking, { keyId, key })
    chronicle.count('probes')
    if (chronicle.violation !== null) return
    const what = `${asking.name} asks for a probe of key ${keyId}`
    if (wrong !== null) chronicle.violated('once faults stop, every key signs', `${what}: ${wrong}`)
    else if (asking.failedAttempts > failures)
      chronicle.violated(
        'once faults stop, a leader needs one attempt',
        `${what}: signed at last, after others failed`,
      )
  }
}

/** @returns what is wrong with what came of it, or null */
async function probe(
  world: World,
  { relayer }: Member,
  { keyId, key }: { keyId: number; key: Parameters<typeof verifySignature>[0] },
): Promise<string | null> {
  if (relayer === null) return 'it is down'
  const stop = new AbortController()
  let over = false
  const signed = relayer
    .signProbe({ keyId, text: `probe ${keyId}` }, stop.signal)
    .then(
      ({ signature, digest }) =>
        verifySignature(key, fromHex(digest), fromHex(signature)) ? null : 'the signature is invalid',
      (error: unknown) => messageOf(error),
    )
    .finally(() => {
      over = true
    })
  for (let block = 0; block < PATIENCE && !over; block++) await world.step()
  stop.abort(new DOMException(`${PATIENCE} blocks have passed`, 'AbortError'))
  return await signed
}
