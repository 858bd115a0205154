// FROST: the figures of RFC 9591, agreement with the reference model byte for byte, and what the wrapper refuses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSigners, FrostKey, isNoncePoint, type NonceSecrets } from '../../relayer/crypto/frost.ts'
import { verifySignature } from '../../relayer/crypto/schnorr.ts'
import { fromHex, toHex } from '../../relayer/lib/bytes.ts'
import { InputError } from '../../relayer/lib/errors.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { type Curve, ed25519, encodeLong, secp256k1 } from '../support/reference/curves.ts'
import * as reference from '../support/reference/frost.ts'
import { type Polynomial, share, type Sharing } from '../support/reference/shares.ts'
import { seededChooser, seededRng } from '../support/seeded-rng.ts'
import { FROST_SCHEMES } from '../support/signing.ts'
import { type FrostCase, readVectors } from '../support/vectors.ts'

type FrostScheme = (typeof FROST_SCHEMES)[number]

/** The product's key of a sharing that the reference model made. */
function keyOf(scheme: FrostScheme, curve: Curve, dealt: Sharing): FrostKey {
  return new FrostKey({
    scheme,
    groupKey: encodeLong(curve, dealt.groupKey).slice(curve === ed25519 ? 0 : 1),
    commitments: dealt.commitments.map((point) => encodeLong(curve, point)),
    verificationShares: dealt.verificationShares.map((point) => curve.encode(point)),
  })
}

const secret = (curve: Curve, s: bigint | undefined) => new Secret(curve.scalarToBytes(s ?? 0n))

/** Runs a published case through the product: nonces, shares and signature must be the published ones. */
function replay(scheme: FrostScheme, known: FrostCase): void {
  const curve = scheme === 'frost-ed25519' ? ed25519 : secp256k1
  const polynomial = [known.groupSecret, ...known.coefficients].map((text) =>
    curve.scalarFromBytes(fromHex(text)),
  )
  const dealt = share(curve, polynomial, known.members)
  const key = keyOf(scheme, curve, dealt)
  const nonces = known.signers.map((signer) => {
    const random = [signer.hidingRandomness, signer.bindingRandomness]
    const own = new Secret(fromHex(signer.share))
    const { secrets, commitment } = key.commit(signer.index, own, () => fromHex(random.shift() ?? ''))
    assert.equal(toHex(secrets.hiding.expose()), signer.hidingNonce)
    assert.equal(toHex(secrets.binding.expose()), signer.bindingNonce)
    assert.equal(toHex(commitment.hiding), signer.hidingCommitment)
    assert.equal(toHex(commitment.binding), signer.bindingCommitment)
    return { own, secrets, commitment }
  })
  const list = nonces.map(({ commitment }) => commitment)
  const message = fromHex(known.message)
  const shares = new Map<number, Uint8Array>()
  known.signers.forEach(({ index, signatureShare }, at) => {
    const mine = nonces[at]
    assert.ok(mine)
    const z = key.signShare({ index, share: mine.own, nonces: mine.secrets }, list, message)
    assert.equal(toHex(z), signatureShare)
    assert.ok(key.verifyShare(list, message, { index, z }))
    shares.set(index, z)
  })
  const { signature } = key.aggregate(list, message, shares)
  assert.equal(toHex(signature ?? new Uint8Array()), known.signature)
}

void test('the product reproduces RFC 9591 on ed25519', () => {
  const [known] = readVectors('frost-ed25519')
  assert.ok(known)
  replay('frost-ed25519', known)
})

void test('the product reproduces FROST with BIP-340 signatures', () => {
  const [known] = readVectors('frost-secp256k1-tr')
  assert.ok(known)
  replay('frost-secp256k1-bip340', known)
})

void test('product and reference agree on nonces, shares and signatures of every scheme', () => {
  const choose = seededChooser('differential')
  const parities = new Set<string>()
  for (const scheme of FROST_SCHEMES) {
    const curve = scheme === 'frost-ed25519' ? ed25519 : secp256k1
    for (let round = 0; round < 4; round++) {
      const rng = seededRng(`${scheme}/${round}`)
      const n = 2 + choose(5)
      const t = 2 + choose(n - 1)
      const polynomial: Polynomial = Array.from({ length: t }, () => BigInt(`0x${toHex(rng(31))}`))
      const dealt = share(curve, polynomial, n)
      const key = keyOf(scheme, curve, dealt)
      parities.add(`${scheme}/${(dealt.groupKey?.y ?? 0n) & 1n}`)
      const set = Array.from({ length: n }, (_, at) => at + 1)
      while (set.length > t) set.splice(choose(set.length), 1)
      const drawn = set.map((index) => {
        const random = [rng(32), rng(32)]
        const s = dealt.shares[index - 1] ?? 0n
        const [hiding, binding] = random.map((bytes) => reference.nonce(reference.SUITES[scheme], bytes, s))
        const own = key.commit(index, secret(curve, s), () => random.shift() ?? new Uint8Array())
        assert.equal(curve.scalarFromBytes(own.secrets.hiding.expose()), hiding)
        return { ...own, signer: { index, share: s, hiding: hiding ?? 0n, binding: binding ?? 0n } }
      })
      const list = drawn.map(({ commitment }) => commitment)
      const digest = rng(32)
      const signers = drawn.map(({ signer }) => signer)
      const expected = reference.sign(reference.SUITES[scheme], dealt.groupKey, signers, digest)
      const shares = new Map<number, Uint8Array>()
      drawn.forEach(({ secrets, signer }, at) => {
        const own = { index: signer.index, share: secret(curve, signer.share), nonces: secrets }
        const z = key.signShare(own, list, digest)
        assert.equal(curve.scalarFromBytes(z), expected.shares[at])
        shares.set(signer.index, z)
      })
      const { signature } = key.aggregate(list, digest, shares)
      assert.deepEqual(signature && toHex(signature), toHex(expected.signature))
      assert.ok(signature && verifySignature(key, digest, signature))
      assert.ok(reference.verify(scheme, dealt.groupKey, digest, signature))
    }
  }
  assert.ok(parities.has('frost-secp256k1-bip340/0') && parities.has('frost-secp256k1-bip340/1'))
})

/** A 2-of-3 EVM key with the nonces of 1 and 3. */
function twoOfThree(seed: string) {
  const rng = seededRng(seed)
  const dealt = share(secp256k1, [BigInt(`0x${toHex(rng(31))}`), BigInt(`0x${toHex(rng(31))}`)], 3)
  const key = keyOf('frost-secp256k1-evm', secp256k1, dealt)
  const own = (index: number) => secret(secp256k1, dealt.shares[index - 1])
  const [one, three] = [key.commit(1, own(1), rng), key.commit(3, own(3), rng)]
  return { key, own, one, three, list: [one.commitment, three.commitment], digest: rng(32) }
}

const spent = ({ hiding, binding }: NonceSecrets) =>
  [...hiding.expose(), ...binding.expose()].every((byte) => byte === 0)

void test('nonces are wiped by signing, and by failing to sign', () => {
  const good = twoOfThree('wipe')
  good.key.signShare({ index: 1, share: good.own(1), nonces: good.one.secrets }, good.list, good.digest)
  assert.ok(spent(good.one.secrets))
  const bad = twoOfThree('wipe again')
  const wrongList = [bad.three.commitment, bad.one.commitment]
  assert.throws(
    () => bad.key.signShare({ index: 1, share: bad.own(1), nonces: bad.one.secrets }, wrongList, bad.digest),
    InputError,
  )
  assert.ok(spent(bad.one.secrets))
  assert.throws(() =>
    bad.key.signShare({ index: 1, share: bad.own(1), nonces: bad.one.secrets }, bad.list, bad.digest),
  )
})

void test('a signer whose nonces are not the ones in the list refuses', () => {
  const { key, own, one, three, digest } = twoOfThree('foreign')
  const foreign = key.commit(1, own(1), seededRng('other')).commitment
  assert.throws(() =>
    key.signShare({ index: 1, share: own(1), nonces: one.secrets }, [foreign, three.commitment], digest),
  )
})

void test('aggregation names exactly the signers whose shares are invalid', () => {
  const { key, own, one, three, list, digest } = twoOfThree('culprits')
  const z1 = key.signShare({ index: 1, share: own(1), nonces: one.secrets }, list, digest)
  const z3 = key.signShare({ index: 3, share: own(3), nonces: three.secrets }, list, digest)
  const bent = z3.slice()
  bent[31] = (bent[31] ?? 0) ^ 1
  assert.deepEqual(
    key.aggregate(
      list,
      digest,
      new Map([
        [1, z1],
        [3, bent],
      ]),
    ),
    { culprits: [3] },
  )
  assert.deepEqual(
    key.aggregate(
      list,
      digest,
      new Map([
        [1, bent],
        [3, bent],
      ]),
    ),
    { culprits: [1, 3] },
  )
  const above = new Uint8Array(32).fill(0xff)
  assert.deepEqual(
    key.aggregate(
      list,
      digest,
      new Map([
        [1, z1],
        [3, above],
      ]),
    ),
    { culprits: [3] },
  )
  assert.throws(() => key.aggregate(list, digest, new Map([[1, z1]])), InputError)
})

void test('signer sets that are not exactly t sorted indices are refused', () => {
  for (const bad of [[1], [1, 1], [3, 1], [0, 1], [1, 4], [1, 2, 3], [1, 2.5], []])
    assert.throws(() => assertSigners(bad, 2, 3), InputError, JSON.stringify(bad))
  assertSigners([1, 3], 2, 3)
})

void test('nonce points must be canonical, not the identity, and of prime order', () => {
  const good = twoOfThree('points').one.commitment.hiding
  assert.ok(isNoncePoint('frost-secp256k1-evm', good))
  for (const bad of [
    good.slice(1),
    new Uint8Array(33),
    Uint8Array.of(4, ...good.slice(1)),
    Uint8Array.of(2, ...new Uint8Array(32).fill(0xff)),
  ])
    assert.equal(isNoncePoint('frost-secp256k1-evm', bad), false)
  const base = ed25519.encode(ed25519.base)
  assert.ok(isNoncePoint('frost-ed25519', base))
  const torsion = ed25519.decode(fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'))
  const identity = ed25519.encode(ed25519.neutral)
  const nonCanonical = fromHex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
  for (const bad of [
    ed25519.encode(torsion),
    ed25519.encode(ed25519.add(ed25519.base, torsion)),
    identity,
    nonCanonical,
  ])
    assert.equal(isNoncePoint('frost-ed25519', bad), false)
})
