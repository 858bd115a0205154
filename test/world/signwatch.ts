// Reads what honest operators say on the signing topic: no nonce twice, no signature that honest policy forbids.
import { type Address, toHex } from '../../relayer/lib/bytes.ts'
import { dec } from '../../relayer/crypto/enc.ts'
import {
  decodeMessage,
  decodePackage,
  packageHash,
  type SigningPackage,
} from '../../relayer/protocol/signwire.ts'
import { toUint } from '../../relayer/lib/bytes.ts'
import { KEY } from '../../relayer/store/layout.ts'
import type { Packet } from '../support/sim-network.ts'
import type { Chronicle } from './chronicle.ts'
import type { Member } from './member.ts'

/** The signing of one world. */
export class SignWatch {
  readonly #chronicle: Chronicle
  readonly #digests: ReadonlyMap<string, string>
  readonly #committee: (epoch: number) => readonly Address[]
  readonly #packages = new Map<string, SigningPackage>()
  /** The package that each nonce was spent on. */
  readonly #spent = new Map<string, string>()

  /**
   * @param digests of the activations that honest members prepared, by address, epoch and attempt
   * @param committee the members of an epoch, ascending
   */
  constructor(
    chronicle: Chronicle,
    digests: ReadonlyMap<string, string>,
    committee: (epoch: number) => readonly Address[],
  ) {
    this.#chronicle = chronicle
    this.#digests = digests
    this.#committee = committee
  }

  /** A packet of the signing topic; the sender is as the network authenticates it. */
  saw(packet: Packet, sender: Member): void {
    const message = decodedMessage(packet.body)
    if (message?.type === 'package') {
      const signing = decodedPackage(message.body)
      if (signing !== null) this.#packages.set(toHex(packageHash(message.body)), signing)
    }
    if (message?.type !== 'share' || sender.corrupt) return
    const hash = toHex(message.hash)
    const signing = this.#packages.get(hash)
    this.#chronicle.count('signature shares')
    if (signing === undefined) return
    this.#nonce(signing, hash, sender)
    this.#policy(signing, sender)
    const { ref, payload } = signing.request
    const own = this.#digests.get(`${sender.address}/${ref.epoch}/${ref.attempt}`)
    if (payload.type === 'activation' && own !== undefined && own !== toHex(message.digest))
      this.#chronicle.violated(
        'the digest of an activation comes from the own prepared record',
        `${sender.name} signs another one for epoch ${ref.epoch} attempt ${ref.attempt}`,
      )
  }

  #nonce({ request, entries }: SigningPackage, hash: string, sender: Member): void {
    const { ref } = request
    for (const { batch, counter, boot, index } of entries) {
      if (this.#committee(ref.epoch)[index - 1] !== sender.address) continue
      const name = `${sender.address} ${ref.keyId} ${toHex(batch)} ${toHex(boot)} ${counter}`
      if ((this.#spent.get(name) ?? hash) !== hash)
        this.#chronicle.violated(
          'no nonce is used twice',
          `${sender.name} uses nonce ${counter} of key ${ref.keyId} again`,
        )
      this.#spent.set(name, hash)
    }
  }

  /** A prepared share signs its activation and nothing else; an active one everything but that. */
  #policy({ request }: SigningPackage, sender: Member): void {
    const { ref, payload } = request
    const { disk } = sender
    const running = runningOn(sender)
    const active = running?.epoch === ref.epoch && running.attempt === ref.attempt
    if (payload.type === 'activation') {
      if (running !== null && running.epoch >= ref.epoch)
        this.#chronicle.violated(
          'an active share never signs an activation',
          `${sender.name}, epoch ${ref.epoch}`,
        )
      if (disk.record(KEY.seen(ref.epoch, ref.attempt)) === undefined && running?.epoch !== ref.epoch)
        this.#chronicle.violated(
          'that an activation is signed for is durable before the share leaves',
          `${sender.name}, epoch ${ref.epoch} attempt ${ref.attempt}`,
        )
      this.#chronicle.count('shares of activation signatures')
    } else if (!active)
      this.#chronicle.violated(
        'a prepared share signs only its activation',
        `${sender.name} signs a ${payload.type} with epoch ${ref.epoch} attempt ${ref.attempt}, and epoch ${running?.epoch ?? 0} is active`,
      )
  }
}

/** The active pointer on a disk. */
export function runningOn({ disk }: Member): { epoch: number; attempt: number } | null {
  const value = disk.record(KEY.running)
  const [body] = value === undefined ? [] : dec(value, [-1, 32])
  if (body === undefined) return null
  const [epoch = new Uint8Array(8), attempt = new Uint8Array(4)] = dec(body, [8, 4, 1])
  return { epoch: toUint(epoch.subarray(2)), attempt: toUint(attempt) }
}

function decodedMessage(body: Uint8Array) {
  try {
    return decodeMessage(body)
  } catch {
    return null
  }
}

function decodedPackage(body: Uint8Array): SigningPackage | null {
  try {
    return decodePackage(body)
  } catch {
    return null
  }
}
