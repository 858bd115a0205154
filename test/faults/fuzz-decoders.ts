// The register of everything that decodes foreign bytes: what the fuzzer runs, and what it need not run and why.
import { chainDecoders } from './fuzz-decoders-chain.ts'
import { diskDecoders } from './fuzz-decoders-disk.ts'
import { sessionDecoders } from './fuzz-decoders-session.ts'
import { signingDecoders } from './fuzz-decoders-signing.ts'
import { wireDecoders } from './fuzz-decoders-wire.ts'
import type { Decoder } from './fuzz-engine.ts'
import { gatherSamples } from './fuzz-samples.ts'

/** Exported functions whose names say that they decode, and which no foreign byte reaches. */
export const EXEMPT: Readonly<Record<string, string>> = {}

/** Every decoder with valid inputs; takes about a second. */
export async function allDecoders(): Promise<Decoder[]> {
  const samples = await gatherSamples()
  return [
    ...sessionDecoders(samples),
    ...signingDecoders(samples),
    ...wireDecoders(),
    ...diskDecoders(samples),
    ...chainDecoders(),
  ]
}
