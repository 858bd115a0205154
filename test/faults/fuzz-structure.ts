// Inputs that have the form and not the content: trees of `enc`, and values of JSON and CBOR, with parts that do not belong.
import { dec, decList, EncodingError, enc } from '../../relayer/crypto/enc.ts'
import { concat, fromBigint, u64 } from '../../relayer/lib/bytes.ts'
import type { Dice } from './fuzz-random.ts'

/** A byte string, or the parts of an `enc`. */
export type Tree = Uint8Array | readonly Tree[]

/** What `enc` made, taken apart as deep as it goes. */
export function treeOf(bytes: Uint8Array): Tree {
  try {
    if (bytes.length === 4) return dec(bytes, [])
    return decList(bytes, 300).map(treeOf)
  } catch (error) {
    if (error instanceof EncodingError) return bytes
    throw error
  }
}

export function bytesOf(tree: Tree): Uint8Array {
  return tree instanceof Uint8Array ? tree : enc(...tree.map(bytesOf))
}

/** The bytes of a sample's tree with up to three of its parts changed. */
export function bentTree(dice: Dice, trees: readonly Tree[]): Uint8Array {
  let tree = dice.pick(trees)
  for (let left = 1 + dice.below(3); left > 0; left--) tree = bent(dice, tree)
  return bytesOf(tree)
}

function bent(dice: Dice, tree: Tree): Tree {
  if (tree instanceof Uint8Array) return bentLeaf(dice, tree)
  if (tree.length === 0) return [dice.bytes(dice.below(40))]
  const at = dice.below(tree.length)
  const part = tree[at] ?? new Uint8Array()
  switch (dice.below(12)) {
    case 0:
      return tree.toSpliced(at, 1)
    case 1:
      return tree.toSpliced(at, 0, part)
    case 2:
      return tree.toSpliced(at, 0, dice.bytes(dice.below(70)))
    case 3: {
      const other = dice.below(tree.length)
      return tree.with(at, tree[other] ?? part).with(other, part)
    }
    case 4:
      return dice.oneIn(20) ? Array.from({ length: dice.below(300) }, () => part) : tree.with(at, [part])
    default:
      return tree.with(at, bent(dice, part))
  }
}

/** Another leaf: of the same length, of a length beside it, or a number at an edge. */
function bentLeaf(dice: Dice, leaf: Uint8Array): Uint8Array {
  const { length } = leaf
  switch (dice.below(9)) {
    case 0:
      return dice.bytes(length)
    case 1:
      return new Uint8Array(length)
    case 2:
      return new Uint8Array(length).fill(0xff)
    case 3:
      return dice.bytes(Math.max(0, length + dice.below(3) - 1))
    case 4:
      return new Uint8Array()
    case 5:
      return concat(Uint8Array.of(0xef, 0xbb, 0xbf), leaf)
    case 6: {
      if (length === 0 || length > 8) return concat(leaf, leaf)
      const most = 256n ** BigInt(length)
      return fromBigint(
        (dice.oneIn(2) ? BigInt(dice.edge()) : most - BigInt(1 + dice.below(3))) % most,
        length,
      )
    }
    case 7:
      return length >= 8 ? concat(leaf.subarray(0, length - 8), u64(dice.word())) : leaf
    default: {
      const copy = leaf.slice()
      if (length > 0) copy[dice.below(length)] = dice.below(256)
      return copy
    }
  }
}

/** Values of every kind that JSON and CBOR know. */
function anyValue(dice: Dice): unknown {
  return dice.pick<unknown>([
    null,
    true,
    false,
    '',
    'x'.repeat(dice.below(300)),
    `0x${'ab'.repeat(dice.below(40))}`,
    '\ufeff',
    dice.edge(),
    -dice.edge(),
    0.5,
    2 ** 53,
    [],
    [dice.edge()],
    { a: 1 },
    { toString: 1 },
  ])
}

/** A plain value with one of its inner values put out, doubled or replaced. */
export function bentValue(dice: Dice, value: unknown): unknown {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value
    if (list.length === 0) return [anyValue(dice)]
    const at = dice.below(list.length)
    if (dice.oneIn(6)) return list.toSpliced(at, 1)
    if (dice.oneIn(6)) return list.toSpliced(at, 0, anyValue(dice))
    return list.with(at, bentValue(dice, list[at]))
  }
  if (value instanceof Uint8Array) return dice.oneIn(3) ? anyValue(dice) : bentLeaf(dice, value)
  if (typeof value !== 'object' || value === null) return anyValue(dice)
  const entries = Object.entries(value)
  if (entries.length === 0) return { [dice.pick(['a', '__proto__', ''])]: anyValue(dice) }
  const at = dice.below(entries.length)
  const [name = '', inner] = entries[at] ?? []
  if (dice.oneIn(6)) return Object.fromEntries(entries.toSpliced(at, 1))
  if (dice.oneIn(6)) return Object.fromEntries([...entries, [`${name}x`, inner]])
  return Object.fromEntries(entries.with(at, [name, bentValue(dice, inner)]))
}
