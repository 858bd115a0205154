// The hello service: exchanges hellos on each new connection and again from time to time, pings, and keeps what peers said.
import type { Connection, Stream } from '@libp2p/interface'
import type { Address } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { NetworkError } from '../lib/errors.ts'
import type { PeerHello } from '../protocol/channel.ts'
import type { Counters } from './counters.ts'
import { encodeFrame } from './framing.ts'
import { type BootMemo, type BridgeId, decodeHello, HelloError, newBootMemo, sameBridge } from './hello.ts'
import { addressOfPeer } from './identity.ts'
import type { Limits } from './limits.ts'
import type { Links } from './links.ts'
import { type Caps, DISCOVERY_PROTOCOLS, KIND, MAX_HELLO } from './protocols.ts'
import { endStream, readOneFrame, sendFrame } from './streams.ts'

/** What the greeter works with. */
export interface GreeterParts {
  readonly links: Links
  readonly limits: Limits
  readonly counters: Counters
  readonly clock: Clock
  readonly network: BridgeId
  /** Our own hello, encoded and signed now. */
  readonly own: () => Uint8Array
  /** Told about each valid hello. */
  readonly heard: (address: Address, hello: PeerHello) => void
  readonly ping: (connection: Connection, signal: AbortSignal) => Promise<number>
}

const caps: Caps = (kind) => (kind === KIND.hello ? MAX_HELLO : undefined)

/** Hellos and latencies by address, as long as the connection stands. */
export class Greeter {
  readonly #parts: GreeterParts
  readonly #hellos = new Map<Address, PeerHello>()
  readonly #latencies = new Map<Address, number>()

  readonly #firsts = new WeakMap<Connection, Promise<PeerHello>>()
  readonly #boots = new WeakMap<Connection, number>()
  readonly #memos = new WeakMap<Connection, BootMemo>()
  readonly #stop = new AbortController()

  constructor(parts: GreeterParts) {
    this.#parts = parts
  }

  hello(address: Address): PeerHello | null {
    return this.#hellos.get(address) ?? null
  }

  latency(address: Address): number | null {
    return this.#latencies.get(address) ?? null
  }

  forget(address: Address): void {
    this.#hellos.delete(address)
    this.#latencies.delete(address)
  }

  /** The first greeting over a connection, made once. @throws NetworkError as greet */
  first(connection: Connection): Promise<PeerHello> {
    let first = this.#firsts.get(connection)
    if (first === undefined) {
      first = this.greet(connection, this.#stop.signal)
      first.catch(() => {})
      this.#firsts.set(connection, first)
    }
    return first
  }

  /** Gives up whatever is under way. */
  stop(): void {
    this.#stop.abort()
  }

  /**
   * Exchanges hellos over a connection, then pings: the proof that the peer serves us, which a dial alone is not.
   * @throws NetworkError if the peer gives no valid hello in time
   */
  async greet(connection: Connection, outer: AbortSignal): Promise<PeerHello> {
    const { limits } = this.#parts
    const address = addressOfPeer(connection.remotePeer)
    if (address === null) throw new NetworkError('greet peer: it has no secp256k1 identity')
    const signal = AbortSignal.any([outer, AbortSignal.timeout(limits.helloMs)])
    let stream: Stream | null = null
    try {
      stream = await connection.newStream(DISCOVERY_PROTOCOLS.hello, { signal })
      const answer = readOneFrame(stream, caps, signal)
      answer.catch(() => {})
      await sendFrame(stream, encodeFrame(KIND.hello, this.#parts.own()), signal)
      const hello = this.#hear(address, (await answer).body, connection)
      void endStream(stream, limits.helloMs)
      await this.#measure(address, connection, signal)
      return hello
    } catch (error) {
      stream?.abort(new Error('greet peer'))
      throw new NetworkError(`greet ${address}: no valid hello came`, { cause: error })
    }
  }

  /** Answers a hello stream of a peer. */
  async answer(stream: Stream, connection: Connection): Promise<void> {
    const { limits, counters } = this.#parts
    const address = addressOfPeer(connection.remotePeer)
    try {
      if (address === null) throw new HelloError('answer hello: no identity')
      const signal = AbortSignal.timeout(limits.helloMs)
      const { body } = await readOneFrame(stream, caps, signal)
      this.#hear(address, body, connection)
      await sendFrame(stream, encodeFrame(KIND.hello, this.#parts.own()), signal)
      await endStream(stream, limits.helloMs)
    } catch (error) {
      if (!(error instanceof HelloError)) counters.drop('hello', 'malformed')
      stream.abort(new Error('answer hello'))
    }
  }

  /** Greets every admitted peer again and again until it is stopped. */
  async rounds(members: () => readonly Address[]): Promise<void> {
    const { clock, limits, links } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      await clock.sleep(limits.greetEveryMs, signal)
      await Promise.all(
        members().map(async (address) => {
          const connection = links.of(address)
          if (connection !== null) await this.greet(connection, signal).catch(() => {})
        }),
      )
    }
  }

  /**
   * A later start of a peer means that its connections of an earlier one are dead, though TCP may not have noticed;
   * those that have not said of which start they are must say so now.
   */
  #keep(address: Address, hello: PeerHello, connection: Connection): void {
    if (connection.status !== 'open') return
    const later = hello.bootCounter > (this.#hellos.get(address)?.bootCounter ?? 0)
    this.#hellos.set(address, hello)
    this.#boots.set(connection, hello.bootCounter)
    if (!later) return
    for (const other of this.#parts.links.all(address).filter((each) => each !== connection)) {
      const boot = this.#boots.get(other)
      const old = () => other.abort(new Error('the peer has started again'))
      if (boot === undefined) this.first(other).catch(old)
      else if (boot < hello.bootCounter) old()
    }
  }

  async #measure(address: Address, connection: Connection, signal: AbortSignal): Promise<void> {
    try {
      const ms = await this.#parts.ping(connection, signal)
      if (connection.status === 'open') this.#latencies.set(address, ms)
    } catch {
      // The hello is what counts; the next round measures again.
    }
  }

  #hear(address: Address, bytes: Uint8Array, connection: Connection): PeerHello {
    const { counters, network } = this.#parts
    try {
      const memo = this.#memos.get(connection) ?? newBootMemo()
      this.#memos.set(connection, memo)
      const said = decodeHello(bytes, address, memo)
      if (!sameBridge(said.network, network)) {
        counters.drop('hello', 'other-bridge')
        throw new HelloError('greet peer: it serves another bridge')
      }
      this.#keep(address, said.hello, connection)
      this.#parts.heard(address, said.hello)
      return said.hello
    } catch (error) {
      if (error instanceof HelloError && !error.message.startsWith('greet')) counters.drop('hello', 'invalid')
      throw error
    }
  }
}
