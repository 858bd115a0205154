// A session's channel that hands on all that passes, and shows it on the way.
import type { Channel } from '../../relayer/protocol/channel.ts'

/** The channel, with `keep` shown each frame before it is sent, and before it is received. */
export function taping(channel: Channel, keep: (frame: Uint8Array) => void): Channel {
  return {
    send: (to, frame) => {
      keep(frame)
      channel.send(to, frame)
    },
    onFrame: (receiver) =>
      channel.onFrame((from, frame) => {
        keep(frame)
        receiver(from, frame)
      }),
    close: () => channel.close(),
  }
}
