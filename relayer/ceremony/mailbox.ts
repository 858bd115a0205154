// The mailbox of threshold signing over the network's topic `sign`.
import type { Network } from '../protocol/channel.ts'
import { type Mailbox, withLoopback } from '../protocol/mailbox.ts'

/** Every signer and leader of this node shares the topic; each knows its own messages by the share that they name. */
export function signingMailbox(network: Network): Mailbox {
  return withLoopback(
    {
      send: (to, body) => network.tell(to, 'sign', body),
      onMessage: (handler) => network.onTell('sign', handler),
    },
    network.self,
  )
}
