// The EIP-712 types that are signed for a Bridge, as ethers takes them: written down a second time, apart from the product.

export const DOMAIN = { name: 'Bridge', version: '3.1.0' } as const

const KeyRecord = [
  { name: 'keyId', type: 'uint32' },
  { name: 'groupKey', type: 'bytes' },
  { name: 'commitmentsHash', type: 'bytes32' },
]

export const TYPES = {
  Activation: {
    Activation: [
      { name: 'epoch', type: 'uint64' },
      { name: 'attempt', type: 'uint32' },
      { name: 'committeeHash', type: 'bytes32' },
      { name: 'keys', type: 'KeyRecord[]' },
      { name: 'transcriptHash', type: 'bytes32' },
    ],
    KeyRecord,
  },
  Readiness: {
    Readiness: [
      { name: 'activationHash', type: 'bytes32' },
      { name: 'relayer', type: 'address' },
    ],
  },
  DeletionReceipt: {
    DeletionReceipt: [
      { name: 'epoch', type: 'uint64' },
      { name: 'relayer', type: 'address' },
      { name: 'successorEpoch', type: 'uint64' },
      { name: 'outstandingBackups', type: 'uint32' },
    ],
  },
  SetGroupKey: {
    SetGroupKey: [
      { name: 'scheme', type: 'uint8' },
      { name: 'groupKey', type: 'bytes' },
      { name: 'destinationChainId', type: 'uint256' },
      { name: 'destinationBridge', type: 'address' },
    ],
  },
  Probe: {
    Probe: [
      { name: 'keyId', type: 'uint32' },
      { name: 'epoch', type: 'uint64' },
      { name: 'text', type: 'string' },
    ],
  },
}
