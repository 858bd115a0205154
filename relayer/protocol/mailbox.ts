// The transport of threshold signing: authenticated messages between members, best effort, each on its own.
import type { Address } from '../lib/bytes.ts'

/** Sends and receives signing messages. */
export interface Mailbox {
  /** Queues one message, at most 65,536 bytes; never throws for a peer that cannot be reached. */
  send(to: Address, body: Uint8Array): void
  /** Registers a handler; `from` is authenticated. Returns the unsubscriber. */
  onMessage(handler: (from: Address, body: Uint8Array) => void): () => void
}

/** The same mailbox, in which messages to `self` come back as microtasks: a leader is often a signer too. */
export function withLoopback(mailbox: Mailbox, self: Address): Mailbox {
  const handlers = new Set<(from: Address, body: Uint8Array) => void>()
  return {
    send(to, body) {
      if (to !== self) {
        mailbox.send(to, body)
        return
      }
      queueMicrotask(() => {
        for (const handler of [...handlers]) handler(self, body)
      })
    },
    onMessage(handler) {
      handlers.add(handler)
      const off = mailbox.onMessage(handler)
      return () => {
        handlers.delete(handler)
        off()
      }
    },
  }
}
