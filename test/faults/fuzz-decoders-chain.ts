// The fuzzer's decoders of what RPC endpoints answer, and of settings: logs, views, reverts, texts.
import type { z } from 'zod'
import { readCommitteeState, readEpochInfo } from '../../relayer/chain/contracts.ts'
import { PHASES } from '../../relayer/chain/chain.ts'
import type { Endpoint } from '../../relayer/chain/endpoint.ts'
import { EventReader } from '../../relayer/chain/events.ts'
import { describeRevert } from '../../relayer/chain/reverts.ts'
import { BRIDGE } from '../../relayer/chain/abi-values.ts'
import { concat, to0x, toAddress, toHex, u8, utf8 } from '../../relayer/lib/bytes.ts'
import { ChainError } from '../../relayer/lib/errors.ts'
import {
  address,
  alias,
  filled,
  hash32,
  multiaddr,
  majority,
  multiaddrWithPeer,
  rpcUrl,
  whole,
} from '../../relayer/lib/settings.ts'
import type { Decoder } from './fuzz-engine.ts'
import type { Dice } from './fuzz-random.ts'
import { zeroAnswer } from './fuzz-decoders-rpc.ts'
import { bentValue } from './fuzz-structure.ts'

const OWN = toAddress(`0x${'b1'.repeat(20)}`)
const HASH = `0x${'12'.repeat(32)}` as const
/** The phase of a bridge without a key. */
const STATE = PHASES[0]
const BLOCK = { number: 9, hash: HASH }

/** An endpoint that answers everything with one value, through the schema that the asker names. */
function answering(value: unknown): Endpoint {
  const endpoint = {
    name: 'fuzz',
    ask: async (method: string, _: unknown, { schema }: { schema: z.ZodType }) => {
      const raw =
        method === 'eth_getBlockByNumber'
          ? { number: '0x9', hash: HASH, parentHash: HASH, timestamp: '0x1' }
          : value
      const parsed = schema.safeParse(raw)
      if (parsed.success) return parsed.data
      throw new ChainError(`ask fuzz for ${method}: unexpected answer`)
    },
  }
  return endpoint as unknown as Endpoint // CAST: the readers use its name and `ask`, and nothing else
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null
  }
}

export function chainDecoders(): Decoder[] {
  const events = BRIDGE.fragments.flatMap((each) => (each.type === 'event' ? [each.format('sighash')] : []))
  const topics = events.flatMap((name) => BRIDGE.getEvent(name)?.topicHash ?? [])
  const log = {
    address: OWN,
    blockNumber: '0x9',
    blockHash: HASH,
    logIndex: '0x0',
    topics: [topics[0] ?? HASH],
    data: '0x',
  }
  const words = (dice: Dice) =>
    concat(
      ...Array.from({ length: dice.below(24) }, () => {
        if (dice.oneIn(3)) return dice.bytes(32)
        const word = new Uint8Array(32)
        word[dice.oneIn(3) ? 0 : 31] = dice.below(256)
        return word
      }),
    )
  return [
    {
      name: 'logs',
      covers: ['chain/events.ts#EventReader'],
      weight: 0.1,
      samples: [utf8(JSON.stringify([log])), utf8(JSON.stringify([log, log]))],
      structured: (dice) => {
        const made = { ...log, topics: [dice.pick(topics), HASH], data: to0x(words(dice)) }
        return utf8(JSON.stringify(dice.oneIn(2) ? [made] : bentValue(dice, [made, log])))
      },
      errors: [ChainError],
      run: async (bytes) => {
        const endpoint = answering(jsonOf(bytes))
        await new EventReader(OWN).activationIn(endpoint, 1, { block: BLOCK })
        const { events: found } = await new EventReader(OWN).range(endpoint, 9, { number: 9 })
        return { value: found.length > 0 ? 'events' : 'none' }
      },
      reaches: ['events', 'none', 'ChainError: ask fuzz for eth_getLogs', 'ChainError: ask fuzz for events'],
    },
    {
      name: 'views',
      covers: [
        'chain/contracts.ts#readCommitteeState',
        'chain/contracts.ts#readEpochInfo',
        'chain/contracts.ts#readView',
      ],
      weight: 0.1,
      samples: [Buffer.from(zeroAnswer('committeeState').slice(2), 'hex')],
      structured: (dice) => {
        if (!dice.oneIn(4)) return words(dice)
        const answer = Buffer.from(zeroAnswer('committeeState').slice(2), 'hex')
        answer[dice.below(answer.length / 32) * 32 + 31] = dice.below(4)
        return answer
      },
      errors: [ChainError],
      run: async (bytes) => {
        const endpoint = answering(to0x(bytes))
        const { phase } = await readCommitteeState(endpoint, { bridge: OWN, at: BLOCK })
        await readEpochInfo(endpoint, { bridge: OWN, epoch: 1, at: BLOCK }).catch((error: unknown) => {
          if (!(error instanceof ChainError)) throw error
        })
        return { value: phase }
      },
      reaches: [
        'ChainError: ask fuzz for committeeState: the answer does not fit',
        'ChainError: ask fuzz for the committee: unexpected',
        STATE,
      ],
    },
    {
      name: 'revert data',
      covers: ['chain/reverts.ts#describeRevert'],
      weight: 0.2,
      samples: [utf8(`0x${toHex(new Uint8Array(36).fill(8))}`)],
      structured: (dice) => {
        const errors = BRIDGE.fragments.flatMap((each) =>
          each.type === 'error' ? [each.format('sighash')] : [],
        )
        const selector = BRIDGE.getError(dice.pick(errors))?.selector ?? '0x'
        return utf8(selector + toHex(words(dice)))
      },
      errors: [],
      run: (bytes) => {
        const text = describeRevert(Buffer.from(bytes).toString('latin1'))
        return { value: text === null ? 'unknown' : 'named' }
      },
      reaches: ['unknown', 'named'],
    },
    settings(),
  ]
}

function settings(): Decoder {
  const parsers = [
    whole(0, 65_535),
    majority,
    filled,
    address,
    rpcUrl,
    multiaddr,
    multiaddrWithPeer,
    hash32,
    (value: string) => alias([value, value.endsWith('=') ? '' : 'anna']),
  ]
  const texts = [
    '17',
    'kept',
    'yes',
    `0x${'33'.repeat(32)}`,
    '',
    `0x${'22'.repeat(20)}`,
    `0x${'22'.repeat(20)}=`,
    'https://rpc.example.org/key',
    '/ip4/1.2.3.4/tcp/9',
    '/ip4/1.2.3.4/tcp/9/p2p/x',
  ]
  // The first byte says which parser.
  const made = (parser: number, text: string) => concat(u8(parser), utf8(text))
  return {
    name: 'settings',
    covers: ['lib/settings.ts#address', 'lib/settings.ts#multiaddr', 'lib/settings.ts#rpcUrl'],
    weight: 0.5,
    fewest: 3000,
    samples: texts.flatMap((text) => parsers.map((_, at) => made(at, text))),
    structured: (dice) =>
      made(
        dice.below(parsers.length),
        dice.pick(texts) + dice.pick(['', ' ', '\n', '0', '/', '\u0000', '=', '/p2p/x']),
      ),
    errors: [RangeError],
    run: (bytes) => {
      const parse = parsers[(bytes[0] ?? 0) % parsers.length] ?? filled
      return { value: typeof parse(Buffer.from(bytes.subarray(1)).toString('utf8')) }
    },
    reaches: [
      'number',
      'string',
      'object',
      'RangeError: must be a whole number',
      'RangeError: must be kept, yes or no',
      'RangeError: must be a hash',
      'RangeError: is empty',
      'RangeError: must be an address',
      'RangeError: give ',
      'RangeError: must be a URL',
      'RangeError: must look like /ipN',
      'RangeError: must end in /pNp/',
    ],
  }
}
