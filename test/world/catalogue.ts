// Everything that a corrupt operator may do, by name.
import { ACKNOWLEDGEMENT_CHEATS, RECEIVER_CHEATS } from './acknowledging.ts'
import { DEALER_CHEATS } from './cheats.ts'
import { COLLUSIONS } from './collusions.ts'
import { FRAME_CHEATS } from './frames.ts'
import { REDEALING_CHEATS } from './redealing.ts'
import { OPENING_CHEATS } from './replays.ts'
import { START_CHEATS } from './starts.ts'
import { WIRE_CHEATS, type WireCheat } from './wires.ts'

/** What corrupt operators do with control messages. */
export const CONTROL_CHEATS: readonly WireCheat[] = [...START_CHEATS, ...WIRE_CHEATS]

/** The names of all behaviours. */
export const BEHAVIOURS: readonly string[] = [
  ...DEALER_CHEATS,
  ...REDEALING_CHEATS,
  ...COLLUSIONS,
  ...RECEIVER_CHEATS,
  ...ACKNOWLEDGEMENT_CHEATS,
  ...FRAME_CHEATS,
  ...OPENING_CHEATS,
  ...CONTROL_CHEATS,
].map(({ name }) => name)
