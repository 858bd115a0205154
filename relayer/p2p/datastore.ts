// The memory behind libp2p's peer store and DHT, bounded: strangers can push out strangers, not grow it.
import type { Libp2pInit } from 'libp2p'

type Datastore = NonNullable<Libp2pInit['datastore']>
type Key = Parameters<Datastore['get']>[0]
type Query = Parameters<Datastore['query']>[0]
type KeyQuery = Parameters<Datastore['queryKeys']>[0]

interface Pair {
  key: Key
  value: Uint8Array
}

/** Largest value in bytes: a peer with all its addresses takes a few hundred. */
const VALUE_AT_MOST = 16_384
/** Entries of one kind: peers, provider records, values. */
const ENTRIES_AT_MOST = 4096
/** Provider records of one peer: an honest one provides its own address and nothing else. */
const RECORDS_OF_ONE_PEER = 8

/** Entries in the order of last use; the first entry of the peers is this node's own and stays. */
export class BoundedDatastore implements Datastore {
  readonly #kinds = new Map<string, Map<string, Pair>>()
  #own: string | null = null

  /** @throws Error if the value is too large; whoever sent it is refused with it */
  put(key: Key, value: Uint8Array): Key {
    if (value.length > VALUE_AT_MOST) throw new Error(`store ${value.length} bytes: at most ${VALUE_AT_MOST}`)
    const name = key.toString()
    const kind = kindOf(name)
    const entries = this.#kinds.get(kind) ?? new Map<string, Pair>()
    this.#kinds.set(kind, entries)
    if (kind === 'peers') this.#own ??= name
    entries.delete(name)
    if (kind === 'provider') makeRoomForPeer(entries, name)
    if (entries.size >= ENTRIES_AT_MOST) {
      const oldest = [...entries.keys()].find((each) => each !== this.#own)
      if (oldest !== undefined) entries.delete(oldest)
    }
    entries.set(name, { key, value })
    return key
  }

  /** @throws Error named NotFoundError, as libp2p expects */
  get(key: Key): Uint8Array {
    const name = key.toString()
    const entries = this.#kinds.get(kindOf(name))
    const found = entries?.get(name)
    if (entries === undefined || found === undefined) throw notFound(name)
    entries.delete(name)
    entries.set(name, found)
    return found.value
  }

  has(key: Key): boolean {
    const name = key.toString()
    return this.#kinds.get(kindOf(name))?.has(name) ?? false
  }

  delete(key: Key): void {
    const name = key.toString()
    this.#kinds.get(kindOf(name))?.delete(name)
  }

  async *putMany(source: Iterable<Pair> | AsyncIterable<Pair>): AsyncGenerator<Key> {
    for await (const { key, value } of source) yield this.put(key, value)
  }

  async *getMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Pair> {
    for await (const key of source) yield { key, value: this.get(key) }
  }

  async *deleteMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      this.delete(key)
      yield key
    }
  }

  batch() {
    const steps: (() => void)[] = []
    return {
      put: (key: Key, value: Uint8Array) => void steps.push(() => this.put(key, value)),
      delete: (key: Key) => void steps.push(() => this.delete(key)),
      commit: () => {
        for (const step of steps.splice(0)) step()
      },
    }
  }

  async *query({ prefix = '', filters = [], orders = [], offset = 0, limit }: Query): AsyncGenerator<Pair> {
    let found = this.#under(prefix).filter((pair) => filters.every((filter) => filter(pair)))
    for (const order of orders) found = found.sort(order)
    yield* found.slice(offset, limit === undefined ? undefined : offset + limit)
  }

  async *queryKeys({
    prefix = '',
    filters = [],
    orders = [],
    offset = 0,
    limit,
  }: KeyQuery): AsyncGenerator<Key> {
    let found = this.#under(prefix)
      .map(({ key }) => key)
      .filter((key) => filters.every((filter) => filter(key)))
    for (const order of orders) found = found.sort(order)
    yield* found.slice(offset, limit === undefined ? undefined : offset + limit)
  }

  #under(prefix: string): Pair[] {
    return [...this.#kinds.values()].flatMap((entries) =>
      [...entries].flatMap(([name, pair]) => (name.startsWith(prefix) ? [pair] : [])),
    )
  }
}

/** `/peers/…` and `/dht/provider/…`, by their names; everything else together. */
function kindOf(name: string): string {
  if (name.startsWith('/peers/')) return 'peers'
  return name.startsWith('/dht/provider/') ? 'provider' : 'other'
}

/** The oldest record of the same peer makes way when it has too many; the peer stands at the end of the name. */
function makeRoomForPeer(entries: Map<string, Pair>, name: string): void {
  const peer = name.slice(name.lastIndexOf('/'))
  const own = [...entries.keys()].filter((each) => each.endsWith(peer))
  for (const oldest of own.slice(0, Math.max(0, own.length + 1 - RECORDS_OF_ONE_PEER))) entries.delete(oldest)
}

function notFound(name: string): Error {
  const error = new Error(`read ${name}: not found`)
  error.name = 'NotFoundError'
  return error
}
