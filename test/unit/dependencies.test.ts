// What is installed with the relayer: one family of curve libraries, and nothing native under the mathematics.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Packages of a production install, by name. */
function installed(): string[] {
  // CAST: the part of npm's lockfile format that is read here
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
}

test('the relayer is installed with no library of curves but noble, and with no native one', () => {
  const curves = installed().filter((name) =>
    /elliptic|secp256k1|ed25519|curve|sodium|nacl|blst|bls|bn\.js|bcrypto|keccak$/.test(name),
  )
  assert.deepEqual([...new Set(curves)], ['@noble/curves'])
})
