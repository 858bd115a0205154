// Keys for one purpose out of a longer-lived secret (HKDF, RFC 5869), and message authentication codes (HMAC, RFC 2104).
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { utf8 } from '../lib/bytes.ts'
import { Secret } from '../lib/secret.ts'
import { enc } from './enc.ts'
import type { Tag } from './tags.ts'

/**
 * A 32-byte key for one purpose: HKDF-SHA256 without salt, info "tssb/v1/" + tag ‖ enc(context).
 * Different tags or contexts give independent keys.
 */
export function deriveKey(master: Secret, tag: Tag, ...context: readonly Uint8Array[]): Secret {
  const label = Buffer.concat([utf8(`tssb/v1/${tag}`), enc(...context)])
  return new Secret(new Uint8Array(hkdfSync('sha256', master.expose(), new Uint8Array(0), label, 32)))
}

/** HMAC-SHA256 of enc(tag, parts) under a 32-byte key; 32 bytes. */
export function mac(key: Secret, tag: Tag, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHmac('sha256', key.expose())
      .update(enc(utf8(tag), ...parts))
      .digest(),
  )
}

/** Whether `found` is the code of the parts, compared in constant time. */
export function macHolds(found: Uint8Array, key: Secret, tag: Tag, ...parts: readonly Uint8Array[]): boolean {
  const want = mac(key, tag, ...parts)
  return found.length === want.length && timingSafeEqual(found, want)
}
