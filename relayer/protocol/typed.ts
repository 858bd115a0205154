// The EIP-712 structs that members and keys sign, and their digests under the domain "Bridge" "3.1.0" (EIP-712, Definition of hashStruct).
import { keccak256 } from '../crypto/hash.ts'
import { type Address, concat, fromHex, type Hex, to0x, u64, utf8 } from '../lib/bytes.ts'
import { commitmentsHash, type KeyPublic } from './keyshare.ts'
import { committeeHash } from './party.ts'
import type { CeremonySpec } from './spec.ts'

/** The bridge under whose domain something is signed. */
export interface Domain {
  readonly chainId: number
  readonly bridge: Address
}

/** What an activation says of one key. */
export interface KeyRecord {
  readonly keyId: number
  /** 64 bytes x ‖ y for secp256k1, 32 bytes for ed25519. */
  readonly groupKey: Hex
  readonly commitmentsHash: Hex
}

/** What activates an epoch; signed by key 0 with prepared shares only. */
export interface Activation {
  readonly epoch: number
  readonly attempt: number
  readonly committeeHash: Hex
  /** Every key, ascending keyId. */
  readonly keys: readonly KeyRecord[]
  readonly transcriptHash: Hex
}

/** A member's word that it erased its share of an epoch. */
export interface DeletionReceipt {
  readonly epoch: number
  readonly relayer: Address
  /** The epoch that superseded it or, for a burned epoch, the one running when it was burned (0 if none). */
  readonly successorEpoch: number
  readonly outstandingBackups: number
}

/** A key's word for another chain's bridge: sets the group key there. */
export interface SetGroupKey {
  /** Position in SCHEMES. */
  readonly scheme: number
  readonly groupKey: Hex
  readonly destinationChainId: number
  readonly destinationBridge: Address
}

/** A text that a key signs to show that it can; at most 256 bytes of UTF-8. */
export interface Probe {
  readonly keyId: number
  readonly epoch: number
  readonly text: string
}

/** Largest text of a Probe, in bytes. */
export const MAX_PROBE_TEXT = 256

const typeHash = (type: string) => keccak256(utf8(type))
const KEY_RECORD = 'KeyRecord(uint32 keyId,bytes groupKey,bytes32 commitmentsHash)'
const TYPE = {
  domain: typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
  keyRecord: typeHash(KEY_RECORD),
  activation: typeHash(
    `Activation(uint64 epoch,uint32 attempt,bytes32 committeeHash,KeyRecord[] keys,bytes32 transcriptHash)${KEY_RECORD}`,
  ),
  readiness: typeHash('Readiness(bytes32 activationHash,address relayer)'),
  receipt: typeHash(
    'DeletionReceipt(uint64 epoch,address relayer,uint64 successorEpoch,uint32 outstandingBackups)',
  ),
  setGroupKey: typeHash(
    'SetGroupKey(uint8 scheme,bytes groupKey,uint256 destinationChainId,address destinationBridge)',
  ),
  probe: typeHash('Probe(uint32 keyId,uint64 epoch,string text)'),
}
const NAME = keccak256(utf8('Bridge'))
const VERSION = keccak256(utf8('3.1.0'))

/** The activation of a prepared result: the committee hash follows from the spec, the rest from what was prepared. */
export function activationOf(
  spec: Pick<CeremonySpec, 'chainId' | 'bridge' | 'next'>,
  prepared: {
    readonly epoch: number
    readonly attempt: number
    readonly transcript: Uint8Array
    readonly keys: readonly KeyPublic[]
  },
): Activation {
  return {
    epoch: prepared.epoch,
    attempt: prepared.attempt,
    committeeHash: to0x(committeeHash(spec.chainId, spec.bridge, spec.next)),
    keys: prepared.keys.map((key) => ({
      keyId: key.keyId,
      groupKey: to0x(key.groupKey),
      commitmentsHash: to0x(commitmentsHash(key)),
    })),
    transcriptHash: to0x(prepared.transcript),
  }
}

/** hashStruct(Activation); 32 bytes. This is what Readiness names. */
export function activationHash(activation: Activation): Uint8Array {
  const keys = activation.keys.map((key) =>
    keccak256(TYPE.keyRecord, uint(key.keyId), dynamic(fromHex(key.groupKey)), word(key.commitmentsHash)),
  )
  return keccak256(
    TYPE.activation,
    uint(activation.epoch),
    uint(activation.attempt),
    word(activation.committeeHash),
    keccak256(...keys),
    word(activation.transcriptHash),
  )
}

/** What key 0 signs to activate an epoch; 32 bytes. */
export function activationDigest(domain: Domain, activation: Activation): Uint8Array {
  return digest(domain, activationHash(activation))
}

/** What each new member signs once its share is durable; 32 bytes. */
export function readinessDigest(domain: Domain, activation: Uint8Array, relayer: Address): Uint8Array {
  return digest(domain, keccak256(TYPE.readiness, word(to0x(activation)), address(relayer)))
}

/** What a member signs when its share is erased; 32 bytes. */
export function receiptDigest(domain: Domain, receipt: DeletionReceipt): Uint8Array {
  const { epoch, relayer, successorEpoch, outstandingBackups } = receipt
  return digest(
    domain,
    keccak256(TYPE.receipt, uint(epoch), address(relayer), uint(successorEpoch), uint(outstandingBackups)),
  )
}

/** What a key signs to show that it can; 32 bytes. @throws RangeError for a text above 256 bytes */
export function probeDigest(domain: Domain, probe: Probe): Uint8Array {
  const text = utf8(probe.text)
  if (text.length > MAX_PROBE_TEXT) throw new RangeError(`hash probe: text of ${text.length} bytes`)
  return digest(domain, keccak256(TYPE.probe, uint(probe.keyId), uint(probe.epoch), dynamic(text)))
}

/** What key 0 signs for another chain's bridge, under that bridge's domain; 32 bytes. */
export function setGroupKeyDigest(domain: Domain, message: SetGroupKey): Uint8Array {
  return digest(
    domain,
    keccak256(
      TYPE.setGroupKey,
      uint(message.scheme),
      dynamic(fromHex(message.groupKey)),
      uint(message.destinationChainId),
      address(message.destinationBridge),
    ),
  )
}

function digest(domain: Domain, struct: Uint8Array): Uint8Array {
  const separator = keccak256(TYPE.domain, NAME, VERSION, uint(domain.chainId), address(domain.bridge))
  return keccak256(Uint8Array.of(0x19, 0x01), separator, struct)
}

function uint(value: number): Uint8Array {
  return concat(new Uint8Array(24), u64(value))
}

function address(value: Address): Uint8Array {
  return concat(new Uint8Array(12), fromHex(value))
}

function dynamic(bytes: Uint8Array): Uint8Array {
  return keccak256(bytes)
}

function word(value: Hex): Uint8Array {
  const bytes = fromHex(value)
  if (bytes.length !== 32) throw new RangeError(`hash typed data: ${bytes.length} bytes instead of 32`)
  return bytes
}
