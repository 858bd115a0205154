// LevelDB's numbers: seven bits a byte, the lowest first.

/** Reads numbers out of bytes one after another. */
export class VarintReader {
  at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.#bytes.length - this.at
  }

  /** @throws RangeError past the end, or for more than is ever written */
  number(): number {
    for (let value = 0, factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.at++)
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new RangeError('read varint: too long')
  }

  /** @throws RangeError past the end */
  skip(length: number): void {
    if (length > this.left) throw new RangeError('skip bytes: past the end')
    this.at += length
  }
}
