// The one-shot service of docker-compose.yml that makes its keys: accounts of Hardhat's public test mnemonic, for nothing of value.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encryptKeystoreJson, HDNodeWallet } from 'ethers'

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: '/keys' },
    /** Accounts 1 to N of the mnemonic; account 0 deploys. */
    relayers: { type: 'string', default: '4' },
  },
})

const PASSWORD = 'for development only'
/** The account whose key is the bootnode's identity. */
const BOOTNODE = 19

/** An account of the mnemonic that every Hardhat node prints. */
function account(index: number): HDNodeWallet {
  return HDNodeWallet.fromPhrase('test '.repeat(11) + 'junk', '', `m/44'/60'/0'/0/${index}`)
}

/** Writes a file that only its owner reads, unless it is there from an earlier start. */
function keep(name: string, text: string): void {
  const path = join(values.directory, name)
  if (!existsSync(path)) writeFileSync(path, text, { mode: 0o600 })
}

mkdirSync(values.directory, { recursive: true })
keep('password', `${PASSWORD}\n`)
keep('bootnode.key', `${account(BOOTNODE).privateKey.slice(2)}\n`)
for (let index = 1; index <= Number(values.relayers); index++) {
  const { address, privateKey } = account(index)
  // Cheap scrypt parameters: the password stands in this file.
  keep(
    `relayer-${index}.json`,
    await encryptKeystoreJson({ address, privateKey }, PASSWORD, { scrypt: { N: 1024 } }),
  )
}
console.log(`keys of ${values.relayers} relayers and a bootnode are in ${values.directory}`)
