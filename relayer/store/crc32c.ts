// The checksum of LevelDB's files: CRC-32C, masked, since checksums stand among bytes that are summed again.

/** CRC-32C (RFC 3720, section 12.1) of every byte, its polynomial reflected. */
const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (CRCS[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const MASK_DELTA = 0xa282ead8

/** A checksum as it was before LevelDB masked it (util/crc32c.h). */
export function unmasked(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}
