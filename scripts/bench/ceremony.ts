// Whole ceremonies of the product's own protocol over the hub: keygen, reshare to the same members, refresh.
import { type Signer, signerOf } from '../../relayer/crypto/identity.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import { type Address, toAddress } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { addressesOf, attemptOf } from '../../relayer/protocol/attempt.ts'
import { confirm } from '../../relayer/protocol/confirm.ts'
import { keygen } from '../../relayer/protocol/keygen.ts'
import { commitmentsHash, type KeyShare, type Scheme } from '../../relayer/protocol/keyshare.ts'
import { type Committee, rankMembers } from '../../relayer/protocol/party.ts'
import type { Prepared } from '../../relayer/protocol/prepared.ts'
import { reshare } from '../../relayer/protocol/reshare.ts'
import { openSession, type Session } from '../../relayer/protocol/session.ts'
import { type CeremonySpec, contextOf, signStart } from '../../relayer/protocol/spec.ts'
import { activationHash, activationOf, readinessDigest } from '../../relayer/protocol/typed.ts'
import { Hub, type Usage } from './hub.ts'
import type { Size } from './model.ts'

const DOMAIN = { chainId: 31337, bridge: toAddress(`0x${'b1'.repeat(20)}`) }

/** One party after a ceremony. */
export interface Outcome {
  readonly session: Session
  readonly prepared: Prepared
  readonly usage: Readonly<Usage>
}

/** What everybody has after a ceremony; the sessions stay open until `close`. */
export interface Ceremony {
  readonly spec: CeremonySpec
  readonly parties: ReadonlyMap<Address, Outcome>
  close(): void
}

/** Operators with keys of their own, ascending by address. */
export function operators(n: number): Signer[] {
  const signers = Array.from({ length: n }, () => signerOf(new Secret(systemRng(32))))
  return signers.sort((a, b) => (a.address < b.address ? -1 : 1))
}

/** A keygen of one key by all operators. */
export async function runKeygen(
  signers: readonly Signer[],
  { t, scheme = 'frost-secp256k1-evm' }: { t: number; scheme?: Scheme },
): Promise<Ceremony> {
  const next = committee(1, signers, { n: signers.length, t })
  return await run(signers, {
    spec: specOf({ op: 'keygen', next, generated: [{ keyId: 0, scheme }] }),
    held: new Map(),
  })
}

/** The keys of a ceremony moved to the same members and threshold: as a reshare or, the same work, as a refresh. */
export async function runAgain(
  signers: readonly Signer[],
  of: { op: 'reshare' | 'refresh'; before: Ceremony },
): Promise<Ceremony> {
  const old = of.before.spec.next
  const [any] = of.before.parties.values()
  const held = (any?.prepared.keys ?? []).map(({ keyId, scheme, groupKey, commitments }) => ({
    keyId,
    scheme,
    groupKey,
    commitmentsHash: commitmentsHash({ commitments }),
  }))
  const next = committee(old.epoch + 1, signers, { n: signers.length, t: old.threshold })
  return await run(signers, { spec: specOf({ op: of.op, next, old, held }), held: sharesOf(of.before) })
}

/** Every party's shares after a ceremony. */
export function sharesOf(ceremony: Ceremony): Map<Address, readonly KeyShare[]> {
  return new Map([...ceremony.parties].map(([address, { prepared }]) => [address, prepared.shares] as const))
}

function committee(epoch: number, signers: readonly Signer[], { t }: Size): Committee {
  return { epoch, members: signers.map(({ address }) => address), threshold: t }
}

function specOf(of: Pick<CeremonySpec, 'op' | 'next'> & Partial<CeremonySpec>): CeremonySpec {
  return {
    ...DOMAIN,
    held: [],
    generated: [],
    old: null,
    triggerBlockHash: new Uint8Array(32).fill(0xb1),
    ...of,
  }
}

async function run(
  signers: readonly Signer[],
  of: { spec: CeremonySpec; held: ReadonlyMap<Address, readonly KeyShare[]> },
): Promise<Ceremony> {
  const { spec, held } = of
  const context = contextOf(spec)
  const [leader] = rankMembers(context, 0, spec.next.members)
  const coordinator = signers.find(({ address }) => address === leader)
  if (coordinator === undefined) throw new Error('bench ceremony: no coordinator')
  const dealers = Array.from({ length: spec.old?.threshold ?? 0 }, (_, at) => at + 1)
  const start = signStart(coordinator, { context, attempt: 0, dealers, startNonce: systemRng(32) })
  const hub = new Hub(addressesOf(attemptOf(spec, start.start)))
  const never = new AbortController().signal
  const running = new Map<Address, { session: Session; prepared: Promise<Prepared> }>()
  await hub.run((address) => {
    const signer = signers.find((each) => each.address === address)
    if (signer === undefined) throw new Error(`bench ceremony: no key of ${address}`)
    const channel = hub.channel(address)
    const session = openSession({ spec, start, signer, channel, rng: systemRng, deadline: () => never })
    const prepared = take(session, { signer, spec, held: held.get(address) ?? [] })
    prepared.catch(() => {}) // Awaited below, when every party has come to its end.
    running.set(address, { session, prepared })
  })
  const parties = new Map<Address, Outcome>()
  for (const [address, { session, prepared }] of running)
    parties.set(address, { session, prepared: await prepared, usage: hub.usage(address) })
  return {
    spec,
    parties,
    close: () => {
      for (const { session } of running.values()) session.close()
    },
  }
}

/** A party from its first message to the certificate. */
async function take(
  session: Session,
  of: { signer: Signer; spec: CeremonySpec; held: readonly KeyShare[] },
): Promise<Prepared> {
  const { signer, spec, held } = of
  const prepared = spec.op === 'keygen' ? await keygen(session) : await reshare(session, held)
  const hash = activationHash(activationOf(spec, prepared))
  await confirm(session, prepared, signer.sign(readinessDigest(spec, hash, signer.address)))
  return prepared
}
