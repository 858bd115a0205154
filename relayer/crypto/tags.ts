// Every domain separation tag of the protocols; each literal occurs once in the code base (a test reads this page).

/** Tag of H, Hs or XOF; the hash prepends "tssb/v1/". */
export const TAG = {
  keyId: 'keyid',
  context: 'ctx',
  sessionId: 'sid',
  sessionOfKey: 'sidk',
  start: 'start',
  request: 'req',
  envelope: 'env',
  echo: 'echo',
  keygenCommit: 'kg-com',
  keygenPok: 'kg-pok',
  keygenTranscript: 'kg-t',
  keygenPos: 'kg-pos',
  reshareCommit: 'rs-com',
  resharePok: 'rs-pok',
  reshareTranscript: 'rs-t',
  resharePos: 'rs-pos',
  nonceBatch: 'nonces',
  signPackage: 'sign-pkg',
  signShare: 'sign-share',
  hello: 'hello',
  dhtRecord: 'dht',
  rank: 'rank',
  receiptTurn: 'receipt-turn',
  recordMac: 'mac',
  macKey: 'store-mac',
  wrapKey: 'store-wrap',
  wrappedKey: 'wrapped-key',
  sealedShare: 'sealed-share',
} as const

export type Tag = (typeof TAG)[keyof typeof TAG]
