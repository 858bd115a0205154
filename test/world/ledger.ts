// The sessions of honest leaders, share by share: one that is complete with a bad share in it must convict who sent that.
import type { Address } from '../../relayer/lib/bytes.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { requestId, type SigningPackage } from '../../relayer/protocol/signwire.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Chronicle } from './chronicle.ts'
import { convicts, type Line } from './hearing.ts'
import type { Member } from './member.ts'
import { messageIn } from './packages.ts'

interface Session {
  readonly leader: Member
  readonly relayer: Member['relayer']
  readonly run: string
  readonly block: number
  /** Whose share has not come; the leader's own does without the network. */
  readonly waiting: Set<Address>
  readonly bad: Set<Address>
  readonly activation: boolean
  /** All shares are there, with a bad one, and the run needs them. */
  owed: boolean
}

/** The sessions of one world. */
export class Ledger {
  readonly #chronicle: Chronicle
  readonly #sessions = new Map<string, Session>()
  /** Who withdrew or was convicted in a run, by run and address. */
  readonly #out = new Set<string>()

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  /** An honest leader has sent a package to these signers. */
  led(
    leader: Member,
    hash: string,
    { signing, signers }: { signing: SigningPackage; signers: readonly Address[] },
  ) {
    if (this.#sessions.has(hash)) return
    const { relayer } = leader
    const activation = signing.request.payload.type === 'activation'
    const { block } = this.#chronicle
    const waiting = new Set(signers.filter((address) => address !== leader.address))
    const run = toHex(requestId(signing.request))
    this.#sessions.set(hash, {
      leader,
      relayer,
      run,
      block,
      waiting,
      bad: new Set(),
      activation,
      owed: false,
    })
  }

  /** A packet comes to its receiver; a bad one is a share that does not fit. */
  delivered(packet: Packet, bad: boolean): void {
    const message = messageIn(packet)
    if (message?.type !== 'share' && message?.type !== 'refuse') return
    const session = this.#sessions.get(toHex(message.hash))
    if (session === undefined || session.leader.address !== packet.to) return
    if (message.type === 'refuse') this.#out.add(`${session.run} ${packet.from}`)
    else if (session.waiting.delete(packet.from)) {
      if (bad) session.bad.add(packet.from)
      session.owed = session.waiting.size === 0 && session.bad.size > 0 && !this.#signed(session.run)
    }
  }

  /** An honest member writes a line to its log. */
  heard(member: Member, line: Line): void {
    for (const [hash, { leader, run, waiting, bad, activation }] of this.#sessions) {
      if (leader !== member) continue
      // Whoever is convicted of something else first is out of the run, and its share is looked at no more.
      for (const signer of [...waiting, ...bad])
        if (convicts(line, signer, ['E_ZSHARE', 'E_EQUIV', 'E_POINT'])) this.#out.add(`${run} ${signer}`)
      // Somebody else was faster, and the run is over.
      if (activation && line.msg === 'activation signed' && line.from !== null) this.#sessions.delete(hash)
    }
  }

  /** The block is over: sessions that were opened and completed in it are judged. */
  settle(): void {
    for (const { leader, relayer, run, block, bad, owed } of this.#sessions.values()) {
      const alive = relayer === leader.relayer && !leader.hampered && block === this.#chronicle.block
      if (!alive || !owed) continue
      const spared = [...bad].find((culprit) => !this.#out.has(`${run} ${culprit}`))
      if (spared !== undefined)
        this.#chronicle.violated(
          'every cheat gets its verdict',
          `${leader.name} has all shares of a session and does not say E_ZSHARE of ${spared}`,
        )
    }
    // What is over does not come back, and later blocks are not judged.
    for (const [hash, { block }] of this.#sessions)
      if (block + 40 < this.#chronicle.block) this.#sessions.delete(hash)
  }

  /** Whether another session of the run has given the signature. */
  #signed(run: string): boolean {
    return [...this.#sessions.values()].some(
      (other) => other.run === run && other.waiting.size === 0 && other.bad.size === 0,
    )
  }
}
