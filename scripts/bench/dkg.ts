// noble's own distributed key generation, one party's work in all three rounds: what the product's keygen is shown beside.
import { secp256k1, secp256k1_FROST } from '@noble/curves/secp256k1.js'
import type { Size } from './model.ts'
import { cpuMs, median } from './stopwatch.ts'

const { DKG, Identifier } = secp256k1_FROST
const { Fn } = secp256k1.Point

/** CPU time of the first of n parties, in ms; the median. */
export function measureNobleDkg({ n, t }: Size, passes: number): number {
  const signers = { min: t, max: n }
  const self = Identifier.fromNumber(1)
  const others = Array.from({ length: n - 1 }, (_, at) => {
    const id = Identifier.fromNumber(at + 2)
    const { public: broadcast, secret } = DKG.round1(id, signers)
    // f(1), all of the other's second round that concerns this party: the sum of its coefficients.
    const sum = (secret.coefficients ?? []).reduce((total, coefficient) => Fn.add(total, coefficient), 0n)
    return { broadcast, share: { identifier: id, signingShare: Fn.toBytes(sum) } }
  })
  const broadcasts = others.map(({ broadcast }) => broadcast)
  const shares = others.map(({ share }) => share)
  const samples: number[] = []
  for (let pass = 0; pass <= passes; pass++) {
    const began = cpuMs()
    const { secret } = DKG.round1(self, signers)
    DKG.round2(secret, broadcasts)
    DKG.round3(secret, broadcasts, shares)
    if (pass > 0) samples.push(cpuMs() - began)
  }
  return median(samples)
}
