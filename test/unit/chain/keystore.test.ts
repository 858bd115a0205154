// Keystores: sealed and opened, made by others, and every way in which they can be wrong.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Wallet } from 'ethers'
import { keystoreAddress, openKeystore, sealKeystore } from '../../../relayer/chain/keystore.ts'
import { signerOf } from '../../../relayer/crypto/identity.ts'
import { to0x, toAddress, utf8 } from '../../../relayer/lib/bytes.ts'
import { ConfigError } from '../../../relayer/lib/errors.ts'
import { Secret } from '../../../relayer/lib/secret.ts'
import { scratch } from '../../support/scratch.ts'

const directory = scratch('keystore')

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const ADDRESS = signerOf(new Secret(KEY)).address
const password = (text = 'correct horse') => new Secret(utf8(text))
const CHEAP = { scryptN: 1024 }

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

async function refusal(path: string, text = 'correct horse'): Promise<ConfigError> {
  try {
    await openKeystore(path, password(text))
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.notEqual(error.hint, '')
    assert.ok(error.message.includes(path))
    assert.doesNotMatch(error.message, /correct horse|wrong pony/)
    return error
  }
  return assert.fail('it opens')
}

test('a sealed key opens with its password, here and in ethers', async () => {
  const json = await sealKeystore(new Secret(KEY.slice()), password(), CHEAP)
  const path = file('sealed.json', json)
  assert.deepEqual((await openKeystore(path, password())).expose(), KEY)
  assert.equal(await keystoreAddress(path), ADDRESS)
  const wallet = await Wallet.fromEncryptedJson(json, 'correct horse')
  assert.equal(toAddress(wallet.address), ADDRESS)
  assert.equal(wallet.privateKey, to0x(KEY))
})

test('a keystore of other software opens: the PBKDF2 vector of the Web3 Secret Storage Definition', async () => {
  const key = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
  const common = { version: 3, id: '3198bc9c-6672-5ab3-d995-4942343ae5b6' }
  const pbkdf2 = {
    ...common,
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      kdf: 'pbkdf2',
      kdfparams: {
        c: 262144,
        dklen: 32,
        prf: 'hmac-sha256',
        salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
      },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
  }
  const path = file('pbkdf2.json', JSON.stringify(pbkdf2))
  assert.equal(to0x((await openKeystore(path, password('testpassword'))).expose()), `0x${key}`)
  assert.equal(await keystoreAddress(path), null)
})

test('a wrong password is told apart from a damaged file', async () => {
  const json = await sealKeystore(new Secret(KEY.slice()), password(), CHEAP)
  const path = file('guarded.json', json)
  assert.match((await refusal(path, 'wrong pony')).message, /the password is wrong/)
  const half = file('half.json', json.slice(0, json.length / 2))
  assert.match((await refusal(half)).message, /truncated or no JSON/)
  assert.match((await refusal(file('empty.json', ''))).message, /it is empty/)
  assert.match((await refusal(file('other.json', '{"version":1}'))).message, /no keystore of version 3/)
  assert.match((await refusal(file('list.json', '"text"'))).message, /no keystore/)
  assert.match((await refusal(join(directory, 'absent.json'))).message, /no such file/)
  const swapped = json.replace(/"address":"[0-9a-f]{40}"/, `"address":"${'12'.repeat(20)}"`)
  assert.match((await refusal(file('swapped.json', swapped))).message, /do not decrypt to a key/)
})
