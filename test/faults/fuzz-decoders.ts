// The register of everything that decodes foreign bytes: what the fuzzer runs, and what it need not run and why.
import { chainDecoders } from './fuzz-decoders-chain.ts'
import { diskDecoders } from './fuzz-decoders-disk.ts'
import { operatorDecoders } from './fuzz-decoders-operator.ts'
import { recordDecoders } from './fuzz-decoders-records.ts'
import { rpcDecoders } from './fuzz-decoders-rpc.ts'
import { sessionDecoders } from './fuzz-decoders-session.ts'
import { signingDecoders } from './fuzz-decoders-signing.ts'
import { wireDecoders } from './fuzz-decoders-wire.ts'
import type { Decoder } from './fuzz-engine.ts'
import { gatherSamples } from './fuzz-samples.ts'

/** Exported functions whose names say that they decode, and which no foreign byte reaches. */
export const EXEMPT: Readonly<Record<string, string>> = {
  'store/epochs.ts#listSlots': 'reads names of records, and no record',
}

/** Every decoder with valid inputs; takes about a second. */
export async function allDecoders(): Promise<Decoder[]> {
  const samples = await gatherSamples()
  return [
    ...sessionDecoders(samples),
    ...signingDecoders(samples),
    ...wireDecoders(),
    ...diskDecoders(samples),
    ...(await recordDecoders(samples)),
    ...chainDecoders(),
    ...operatorDecoders(),
    ...rpcDecoders(),
  ]
}
