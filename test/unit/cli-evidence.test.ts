// `truss evidence verify`: a record convicts under the committee that the checker knows, and under no other.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EXIT } from '../../relayer/cli/exit.ts'
import { type Signer, signerOf } from '../../relayer/crypto/identity.ts'
import { toHex } from '../../relayer/lib/bytes.ts'
import { Secret } from '../../relayer/lib/secret.ts'
import { judgeEvidence } from '../../relayer/ceremony/evidence.ts'
import { startEquivocation } from '../../relayer/protocol/evidence.ts'
import { encodeBatch } from '../../relayer/protocol/nonces.ts'
import { hashedCommittee, rankMembers } from '../../relayer/protocol/party.ts'
import { encodeSignEvidence } from '../../relayer/protocol/signfault.ts'
import { type CeremonySpec, contextOf, signStart } from '../../relayer/protocol/spec.ts'
import { truss } from '../support/cli.ts'
import { CHAIN_ID, HardhatChain } from '../support/hardhat-chain.ts'
import { scratch } from '../support/scratch.ts'

const folder = scratch('evidence')
const signers = [1, 2, 3]
  .map((seed) => signerOf(new Secret(new Uint8Array(32).fill(seed))))
  .sort((a, b) => (a.address < b.address ? -1 : 1))
const members = signers.map(({ address }) => address)
let chain: HardhatChain
let file = ''
let coordinator: Signer | undefined

const keygen = (): CeremonySpec => ({
  op: 'keygen',
  chainId: CHAIN_ID,
  bridge: chain.bridge,
  held: [],
  generated: [{ keyId: 0, scheme: 'frost-secp256k1-evm' }],
  old: null,
  next: { epoch: 1, members, threshold: 2 },
  triggerBlockHash: new Uint8Array(32).fill(9),
})

/** A coordinator of the first keygen that signed two start messages for attempt 4. */
function equivocation(): Uint8Array {
  const spec = keygen()
  const context = contextOf(spec)
  coordinator = signers.find(({ address }) => address === rankMembers(context, 4, members)[0])
  assert.ok(coordinator)
  const signed = [1, 2].map((byte) => {
    assert.ok(coordinator)
    return signStart(coordinator, {
      context,
      attempt: 4,
      dealers: [],
      startNonce: new Uint8Array(32).fill(byte),
    })
  })
  const [one, two] = signed
  assert.ok(one && two)
  return startEquivocation(spec, one, two)
}

before(async () => {
  chain = await HardhatChain.start({ members })
  await chain.govern('startKeygen')
  file = join(folder, 'record.evidence')
  writeFileSync(file, equivocation())
})
after(() => chain.stop())

const bridge = () => ['--chain-id', String(CHAIN_ID), '--bridge', chain.bridge]
const byHand = (epoch = 1, of = members) => ['--committee', `${epoch}:2:${of.join(',')}`]
const verify = (path: string, ...args: string[]) => truss(['evidence', 'verify', path, ...args])

test('it names the culprit, by the committee that an endpoint or the checker gives', async () => {
  for (const known of [['--rpc', chain.url], byHand(), byHand(1, members.toReversed())]) {
    const { code, out, err } = await verify(file, ...bridge(), ...known, '--json')
    assert.equal(code, EXIT.done.code, err)
    const { valid, culprits, ceremony, code: fault } = JSON.parse(out)
    assert.equal(valid, true)
    assert.equal(fault, 'E_EQUIV')
    assert.deepEqual(
      culprits.map((culprit: { address: string }) => culprit.address),
      [coordinator?.address],
    )
    assert.deepEqual(ceremony, { op: 'keygen', epoch: 1, predecessor: 0, attempt: 4 })
  }
  const text = await verify(file, ...bridge(), ...byHand())
  assert.match(text.out, new RegExp(`^culprit +${coordinator?.address}, new member \\d$`, 'm'))
})

test('hex is as good as bytes', async () => {
  const hex = join(folder, 'record.hex')
  writeFileSync(hex, `0x${toHex(equivocation())}\n`)
  assert.equal((await verify(hex, ...bridge(), ...byHand())).code, EXIT.done.code)
})

test('another committee, epoch or bridge, a flipped bit and garbage convict nobody', async () => {
  const strangers = members.map((member) => `0x${member.slice(2).split('').toReversed().join('')}`)
  const otherBridge = ['--chain-id', String(CHAIN_ID), '--bridge', `0x${'77'.repeat(20)}`]
  const bent = equivocation()
  bent[bent.length - 10] = (bent[bent.length - 10] ?? 0) ^ 1
  const cases: readonly (readonly [string, Uint8Array, readonly string[]])[] = [
    ['strangers', equivocation(), [...bridge(), '--committee', `1:2:${strangers.join(',')}`]],
    ['epoch', equivocation(), [...bridge(), ...byHand(2)]],
    ['bridge', equivocation(), [...otherBridge, ...byHand()]],
    ['bent', bent, [...bridge(), ...byHand()]],
    ['bent, by endpoint', bent, [...bridge(), '--rpc', chain.url]],
    ['garbage', new TextEncoder().encode('no evidence at all'), [...bridge(), ...byHand()]],
    ['empty', new Uint8Array(), [...bridge(), ...byHand()]],
  ]
  for (const [name, record, args] of cases) {
    const path = join(folder, 'case')
    writeFileSync(path, record)
    const { code, out, err } = await verify(path, ...args)
    assert.equal(code, EXIT.unproven.code, `${name}: ${err}`)
    assert.equal(out, '', name)
    assert.match(err, /^truss: [^\n]+convicts nobody[^\n]+$/, name)
  }
})

test('a file that is not there and a checker who knows no committee are told so', async () => {
  const absent = await verify(join(folder, 'none'), ...bridge(), ...byHand())
  assert.equal(absent.code, EXIT.config.code)
  const ignorant = await verify(file)
  assert.equal(ignorant.code, EXIT.config.code)
  assert.match(ignorant.err, /chain id, bridge and endpoint must be known/)
})

/** What the second member published about its nonces for the shares of epoch 1, `first` being their counter. */
function batch(first: number, byte: number): Uint8Array {
  const [leader, owner] = signers
  assert.ok(leader && owner)
  const { hash: committeeHash } = hashedCommittee(keygen(), keygen().next)
  const transcript = new Uint8Array(32).fill(1)
  const ref = { keyId: 0, epoch: 1, attempt: 0, transcript, committeeHash }
  const points = [1, 2].map((part) => new Uint8Array(33).fill(byte + part))
  const boot = { counter: 3, id: new Uint8Array(16).fill(4) }
  return encodeBatch(ref, { index: 2, boot, leader: leader.address, first, points }, owner)
}

test('records of misbehaviour in signing are judged too, and stop a ceremony for the epoch that they speak of', async () => {
  const records = [
    ['E_EQUIV', encodeSignEvidence({ kind: 'batches', first: batch(5, 10), second: batch(5, 20) })],
    ['E_POINT', encodeSignEvidence({ kind: 'point', batch: batch(5, 10) })],
  ] as const
  for (const [fault, record] of records) {
    const path = join(folder, 'signing')
    writeFileSync(path, record)
    for (const known of [['--rpc', chain.url], byHand()]) {
      const { code, out, err } = await verify(path, ...bridge(), ...known, '--json')
      assert.equal(code, EXIT.done.code, err)
      assert.deepEqual(JSON.parse(out), {
        valid: true,
        code: fault,
        culprits: [{ role: 'new', index: 2, address: members[1] }],
        signing: { epoch: 1 },
      })
    }
    assert.deepEqual(judgeEvidence(record, keygen())?.culprits, [members[1]])
    assert.equal(judgeEvidence(record, { ...keygen(), next: { epoch: 2, members, threshold: 2 } }), null)
  }
  const innocent = encodeSignEvidence({ kind: 'batches', first: batch(5, 10), second: batch(9, 20) })
  for (const [bytes, known] of [
    [innocent, byHand()],
    [records[0][1], byHand(2)],
    [records[0][1].subarray(0, -1), byHand()],
    [records[0][1], byHand(1, members.toSpliced(1, 1))],
  ] as const) {
    const path = join(folder, 'case')
    writeFileSync(path, bytes)
    const { code, err } = await verify(path, ...bridge(), ...known)
    assert.equal(code, EXIT.unproven.code, err)
    assert.match(err, /convicts nobody/)
  }
})
