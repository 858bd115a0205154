// What a signer remembers of each leader: the packages that it saw, and those that wait for nonces; no leader's flood pushes out another's.
import { type Address, equal, toHex } from '../lib/bytes.ts'
import type { Arrived } from './signcheck.ts'
import { requestId, type SignMessage } from './signwire.ts'

type Package = SignMessage & { type: 'package' }

/** Packages and waiting packages of one leader; the oldest are forgotten. */
const REMEMBERED = 64
const WAITING = 16

/** Bounded by the leaders that it is told of, who are members of the committee. */
export class LeaderMemory {
  readonly #packages = new Map<Address, Map<string, Package>>()
  readonly #waiting = new Map<Address, Map<string, Arrived>>()

  /** Whether the package is the first of its session in its run; if not, the first one. */
  first({ signing, message }: Arrived): 'first' | 'repeated' | Package {
    const name = `${toHex(requestId(signing.request))}:${signing.session}`
    const before = this.#packages.get(signing.leader)?.get(name)
    if (before !== undefined) return equal(before.body, message.body) ? 'repeated' : before
    put(this.#packages, signing.leader, { name, value: message, most: REMEMBERED })
    return 'first'
  }

  /** Keeps a package until `takeReady` finds it ready. */
  wait(arrived: Arrived): void {
    put(this.#waiting, arrived.signing.leader, { name: toHex(arrived.hash), value: arrived, most: WAITING })
  }

  /** Whether a waiting package of the leader names a batch. */
  waitsWith(leader: Address, digest: Uint8Array): boolean {
    return [...(this.#waiting.get(leader)?.values() ?? [])].some(({ signing }) =>
      signing.entries.some(({ batch }) => equal(batch, digest)),
    )
  }

  /** Takes out the waiting packages of which this says that they are ready. */
  takeReady(isReady: (arrived: Arrived) => boolean): Arrived[] {
    return [...this.#waiting.values()].flatMap((ofLeader) =>
      [...ofLeader].flatMap(([name, arrived]) =>
        isReady(arrived) && ofLeader.delete(name) ? [arrived] : [],
      ),
    )
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear()
  }
}

function put<T>(
  all: Map<Address, Map<string, T>>,
  leader: Address,
  entry: { name: string; value: T; most: number },
): void {
  const own = all.get(leader) ?? new Map<string, T>()
  all.set(leader, own)
  const oldest = own.keys().next()
  if (own.size >= entry.most && !oldest.done) own.delete(oldest.value)
  own.set(entry.name, entry.value)
}
