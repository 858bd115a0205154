// Everything that a corrupt operator may do, by name.
import { ACKNOWLEDGEMENT_CHEATS, RECEIVER_CHEATS } from './acknowledging.ts'
import { DEALER_CHEATS } from './cheats.ts'
import { FRAME_CHEATS } from './frames.ts'
import { WIRE_CHEATS } from './wires.ts'

/** The names of all behaviours. */
export const BEHAVIOURS: readonly string[] = [
  ...DEALER_CHEATS,
  ...RECEIVER_CHEATS,
  ...ACKNOWLEDGEMENT_CHEATS,
  ...FRAME_CHEATS,
  ...WIRE_CHEATS,
].map(({ name }) => name)
