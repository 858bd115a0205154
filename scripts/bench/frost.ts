// Part `frost`: the product's signing calls against the same calls of noble's own suites, on keys from a real keygen.
import type { FROST, FrostPublic } from '@noble/curves/abstract/frost.js'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { schnorr_FROST, secp256k1, secp256k1_FROST } from '@noble/curves/secp256k1.js'
import { FrostKey } from '../../relayer/crypto/frost.ts'
import { systemRng } from '../../relayer/crypto/rng.ts'
import type { SchnorrScheme } from '../../relayer/crypto/schnorr.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { operators, runKeygen } from './ceremony.ts'
import type { Size } from './model.ts'
import type { Cell, Goal, Part } from './report.ts'
import { costOfBoth } from './stopwatch.ts'

const GOAL = 1.2
/** The EVM scheme is ours alone: beside it stands noble's RFC 9591 suite over the same curve. */
const NOBLE: Readonly<Record<SchnorrScheme, FROST>> = {
  'frost-secp256k1-evm': secp256k1_FROST,
  'frost-secp256k1-bip340': schnorr_FROST,
  'frost-ed25519': ed25519_FROST,
}
const SCHEMES: readonly SchnorrScheme[] = ['frost-secp256k1-evm', 'frost-secp256k1-bip340', 'frost-ed25519']

type Bytes = Uint8Array<ArrayBuffer>

/** A key with t of its shares, in the product's form and in noble's. */
interface Dealt {
  readonly key: FrostKey
  /** s_1 … s_t. */
  readonly shares: readonly Bytes[]
  readonly noble: FROST
  readonly package: FrostPublic
}

/** @param of.sizes committees; `samples` of at least 10 ms each are taken of every call */
export async function measureFrost(of: { sizes: readonly Size[]; samples: number }): Promise<Part> {
  const rows: Cell[][] = []
  const goals: Goal[] = []
  for (const size of of.sizes) {
    for (const scheme of SCHEMES) {
      const dealt = await dealKey(scheme, size)
      for (const { call, ours, theirs } of callsOf(dealt)) {
        const cost = costOfBoth(ours, theirs, { samples: of.samples })
        const ratio = cost.ours / cost.theirs
        rows.push([scheme, `${size.t} of ${size.n}`, call, cost.ours, cost.theirs, ratio])
        goals.push({
          what: `${scheme} ${size.t} of ${size.n}: ${call} / noble's`,
          goal: GOAL,
          measured: ratio,
        })
      }
    }
  }
  const columns = ['scheme', 't of n', 'call', 'ours ms', 'noble ms', 'ratio']
  return {
    name: 'frost',
    title: "FROST against noble's own calls, CPU time",
    columns,
    rows,
    goals,
    failure: null,
  }
}

async function dealKey(scheme: SchnorrScheme, { n, t }: Size): Promise<Dealt> {
  const ceremony = await runKeygen(operators(n), { t, scheme })
  const members = [...ceremony.parties.values()].map(({ prepared }) => prepared.shares[0])
  ceremony.close()
  const [first] = members
  if (first === undefined) throw new Error('bench frost: the keygen gave no share')
  const noble = NOBLE[scheme]
  const short = (point: Uint8Array) =>
    owned(scheme === 'frost-ed25519' ? point : secp256k1.Point.fromBytes(point).toBytes(true))
  return {
    key: new FrostKey({ ...first, scheme }),
    shares: members.slice(0, t).map((share) => owned(share?.share.expose() ?? new Uint8Array())),
    noble,
    package: {
      signers: { min: t, max: n },
      commitments: first.commitments.map(short),
      verifyingShares: Object.fromEntries(
        first.verificationShares.map((point, at) => [noble.Identifier.fromNumber(at + 1), owned(point)]),
      ),
    },
  }
}

/** Commit, sign and aggregate, each as a call that can be repeated: nonces are good for one use, so copies are used up. */
function callsOf({ key, shares, noble, package: pub }: Dealt) {
  const message = systemRng(32)
  const random = (length = 32) => owned(systemRng(length))

  const secrets = shares.map((bytes) => new Secret(bytes.slice()))
  const drawn = secrets.map((share, at) => key.commit(at + 1, share, systemRng))
  const list = drawn.map(({ commitment }) => commitment)
  const sign = (at: number) => {
    const [share, nonces] = [secrets[at], drawn[at]?.secrets]
    if (share === undefined || nonces === undefined) throw new Error('bench frost: no such signer')
    const copy = { hiding: copyOf(nonces.hiding), binding: copyOf(nonces.binding) }
    return key.signShare({ index: at + 1, share, nonces: copy }, list, message)
  }
  const signed = new Map(shares.map((_, at) => [at + 1, sign(at)] as const))

  const theirs = shares.map((signingShare, at) => {
    const secret = { identifier: noble.Identifier.fromNumber(at + 1), signingShare }
    return { secret, ...noble.commit(secret, random) }
  })
  const theirList = theirs.map(({ commitments }) => commitments)
  const theySign = (at: number) => {
    const signer = theirs[at]
    if (signer === undefined) throw new Error('bench frost: no such signer')
    const nonces = { hiding: signer.nonces.hiding.slice(), binding: signer.nonces.binding.slice() }
    return noble.signShare(signer.secret, pub, nonces, theirList, message)
  }
  const theySigned = Object.fromEntries(theirs.map(({ secret }, at) => [secret.identifier, theySign(at)]))

  const [own, their] = [secrets[0], theirs[0]]
  if (own === undefined || their === undefined) throw new Error('bench frost: no signer')
  if (key.aggregate(list, message, signed).signature === undefined)
    throw new Error('bench frost: the shares make no signature')
  return [
    {
      call: 'commit',
      ours: () => key.commit(1, own, systemRng),
      theirs: () => noble.commit(their.secret, random),
    },
    { call: 'signShare', ours: () => sign(0), theirs: () => theySign(0) },
    {
      call: 'aggregate',
      ours: () => key.aggregate(list, message, signed),
      theirs: () => noble.aggregate(pub, theirList, message, theySigned),
    },
  ]
}

function copyOf(secret: Secret): Secret {
  return new Secret(secret.expose().slice())
}

/** The same bytes, in the type that noble's declarations ask for. */
function owned(bytes: Uint8Array): Bytes {
  return bytes as Bytes // CAST: nothing here lives in shared memory
}
