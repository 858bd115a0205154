// The contract suite of the Chain port, run against the ethers client on a real chain and against the fake.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { toAddress } from '../../../relayer/lib/bytes.ts'
import { verifyEvm } from '../../../relayer/crypto/schnorr.ts'
import { clientOf } from '../../support/chain-client.ts'
import { type ChainWorld, chainSuite, FIRST } from '../../support/chain-suite.ts'
import { FakeChain } from '../../support/fake-chain.ts'
import { bridgeVerifier } from '../../support/fake-chain-verifier.ts'
import { settle } from '../../support/fake-clock.ts'
import { CHAIN_ID, HardhatChain } from '../../support/hardhat-chain.ts'

const FINALITY_DEPTH = 2

async function real(t: TestContext): Promise<ChainWorld> {
  const chain = await HardhatChain.start({ members: FIRST })
  const node = async () => {
    const { privateKey } = await chain.account()
    return clientOf(chain, { key: privateKey, confirmations: FINALITY_DEPTH })
  }
  const nodes = [await node(), await node()] as const
  t.after(async () => {
    for (const one of nodes) one.close()
    await chain.stop()
  })
  return {
    chain: nodes[0],
    other: nodes[1],
    govern: (method, args) => chain.govern(method, args),
    mine: (blocks) => chain.mine(blocks),
    mineUntil: (promise) => chain.mineUntil(promise),
    mark: () => chain.mark(),
    rewind: (mark) => chain.rewind(mark),
  }
}

async function fake(): Promise<ChainWorld> {
  const domain = { chainId: CHAIN_ID, bridge: toAddress(`0x${'b1'.repeat(20)}`) }
  const chain = new FakeChain({
    ...domain,
    members: FIRST,
    finalityDepth: FINALITY_DEPTH,
    verifier: bridgeVerifier(domain, verifyEvm),
  })
  return {
    chain: chain.view(toAddress(`0x${'a1'.repeat(20)}`)),
    other: chain.view(toAddress(`0x${'a2'.repeat(20)}`)),
    async govern(method, args = []) {
      const call: unknown = Reflect.get(chain, method)
      assert.ok(typeof call === 'function', `the fake knows no ${method}`)
      Reflect.apply(call, chain, args)
      chain.mine()
    },
    async mine(blocks) {
      chain.mine(blocks)
    },
    async mineUntil(promise) {
      await settle()
      chain.mine()
      return promise
    },
    async mark() {
      return chain.head.ref.number
    },
    async rewind(mark) {
      chain.reorganise(chain.head.ref.number - Number(mark))
    },
  }
}

chainSuite('ethers', real)
chainSuite('fake', fake)
