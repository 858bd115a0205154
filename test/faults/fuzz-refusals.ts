// Every refusal that stands in the source of a decoder: which of them no input of the fuzzer has reached.
import { readFileSync } from 'node:fs'
import { type Decoder, withoutNumbers } from './fuzz-engine.ts'

/** A place in the source where an error is made. */
export interface Refusal {
  /** The file below relayer/. */
  readonly file: string
  /** The class of the error and its message, with `…` where a value stands. */
  readonly text: string
  /** What an answer that came of it looks like. */
  readonly pattern: RegExp
}

/** Refusals that no foreign byte can cause, by the beginning of their text, with the reason. */
export const NOT_BY_BYTES: Readonly<Record<string, string>> = {
  'RangeError: encode ': 'encoders, of values of our own',
  'PointError: encode ': 'encoders, of values of our own',
  'RangeError: draw nonces': 'what this node makes itself',
  'Error: accuse over': 'what this node makes itself',
  'RangeError: multiply by index': 'an index is a position in a committee',
  'RangeError: decode integer: … bytes': 'callers cut the length out before',
  'EncodingError: decode frame: parts': 'the decoder of lists counted the parts; the compiler does not know',
  'EncodingError: decode spec: key': 'the same',
  'EncodingError: decode: a part is missing': 'the same',
  'EncodingError: decode: no body': 'the same',
  'RangeError: decode batch: parts': 'the same',
  'RangeError: decode payload: group key': 'the same',
  'ContentError: E_LEN: parse opening: a key is missing': 'the same',
  'PointError: decode point: prefix': 'comes out as a point that is not canonical',
  'RangeError: judge signature share': 'a key or its commitments as the caller has them',
  'RefusalError: E_AUTH: check spec: scheme ecdsa': 'a spec that this node derived from the chain',
  'ConfigError: open keystore …: the password is wrong': 'the password is no byte of the file',
  'ConfigError: read the operator key': 'the own key',
  'ConfigError: read configuration: there is no file': 'a file that is not there has no bytes',
  'ChainError: sign a transaction': 'a client without an account',
  'StoreError: save prepared share': 'writers, of what this node made itself',
  'InputError: save prepared share': 'the same',
  'StoreError: promote epoch': 'the same',
  'StoreError: retire burned epoch': 'the same',
  'StoreError: erase share': 'the same',
  'StoreError: keep evidence': 'the same',
  'InputError: advance cursor': 'the same',
  'HelloError: decode hello: too many boots on one connection':
    'it is about what came on a connection before',
  'StoreError: open store: no schema record': 'a record that is not there has no bytes',
  'NetworkError: listen': 'the own address',
  'NetworkError: answer': 'the asker goes away, or the daemon stops',
  'NotDoneError: sign probe': 'time that passes',
}

/** An error with its code, if it has one, and its message up to the end of the literal. */
const MADE =
  /new (\w*(?:Error|Problems))\(\s*(?:'(E_\w+)',\s*|'\w+',\s*)?(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`((?:[^`\\]|\\.)*)`)/g

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** The refusals of every file that a decoder covers. */
export function refusalsOf(decoders: readonly Decoder[]): Refusal[] {
  const files = new Set(decoders.flatMap(({ covers }) => covers.map((each) => each.split('#')[0] ?? '')))
  return [...files].sort().flatMap((file) =>
    [...readFileSync(`relayer/${file}`, 'utf8').matchAll(MADE)].flatMap((match): Refusal[] => {
      const [, name = '', code, single, double, template = ''] = match
      const message = (single ?? double ?? template).replaceAll(/\\(.)/g, '$1')
      // A value that is itself a template ends the message here.
      const parts = message.replace(/\$\{[^}]*$/, '').split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/)
      const fixed = parts.map((part) => escaped(withoutNumbers(part))).join('.*')
      // A message that is all value says nothing: the error that it was made of is looked for where it is made.
      if (parts.every((part) => part.trim().length < 4)) return []
      const prefix = code === undefined ? '' : `${code}: `
      return [{ file, text: `${name}: ${prefix}${parts.join('…')}`, pattern: new RegExp(prefix + fixed) }]
    }),
  )
}

/** The refusals that no answer shows and that no reason excuses. */
export function neverSeen(decoders: readonly Decoder[], labels: readonly string[]): string[] {
  const excused = Object.keys(NOT_BY_BYTES)
  return refusalsOf(decoders)
    .filter(({ text }) => !excused.some((start) => text.startsWith(start)))
    .filter(({ pattern }) => !labels.some((label) => pattern.test(label)))
    .map(({ file, text }) => `${file}: ${text}`)
}
