// The devnet's flags, and the help that names them.
import { parseArgs } from 'node:util'
import { MIN_WINDOW_BLOCKS } from '../../relayer/ceremony/windows.ts'

/** What `npm run devnet` was asked for. */
export interface Options {
  /** Members of the first committee. */
  readonly relayers: number
  readonly threshold: number
  readonly blockTimeMs: number
  /** Blocks after which a block counts as final. */
  readonly confirmations: number
  /** W: blocks of one attempt of a ceremony. */
  readonly windowBlocks: number
  /** Scheme of key 0. */
  readonly scheme: string
  readonly story: boolean
  /** End after the story. */
  readonly exit: boolean
  readonly directory: string
  /** Addresses of this step's newcomer are blocked before step 3: the devnet must notice. For tests. */
  readonly blockNewcomer: boolean
}

export const HELP = `npm run devnet -- [options]

Starts two Hardhat chains, a bootnode and relayers as separate processes, tells the story of a committee
that generates its keys and reshapes itself, and stays up until Ctrl-C.

  --relayers N        members of the first committee (3)
  --threshold T       signers needed at first (2)
  --block-time-ms MS  interval between blocks (400)
  --confirmations N   blocks after which a block counts as final (2)
  --window-blocks N   blocks of one attempt of a ceremony (40)
  --scheme NAME       scheme of key 0 (frost-secp256k1-evm)
  --directory DIR     where everything is kept; emptied first (.devnet)
  --no-story          stop after the first keygen and stay up
  --exit              end after the story: exit code 0 only if all of it held
  --block-newcomer    close the fourth relayer's port before step 3, to see the devnet fail and name it
  --help              this text`

/** @throws Error with one line for flags that are unknown or make no sense */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      relayers: { type: 'string', default: '3' },
      threshold: { type: 'string', default: '2' },
      'block-time-ms': { type: 'string', default: '400' },
      confirmations: { type: 'string', default: '2' },
      // Long enough for a ceremony with a slow start of five processes on two cores.
      'window-blocks': { type: 'string', default: '40' },
      scheme: { type: 'string', default: 'frost-secp256k1-evm' },
      directory: { type: 'string', default: '.devnet' },
      'no-story': { type: 'boolean', default: false },
      exit: { type: 'boolean', default: false },
      'block-newcomer': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const whole = (
    name: 'relayers' | 'threshold' | 'block-time-ms' | 'confirmations' | 'window-blocks',
    least: number,
  ) => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < least)
      throw new Error(`--${name} ${values[name]}: give a whole number of at least ${least}`)
    return value
  }
  const options = {
    relayers: whole('relayers', 2),
    threshold: whole('threshold', 2),
    blockTimeMs: whole('block-time-ms', 100),
    confirmations: whole('confirmations', 1),
    windowBlocks: whole('window-blocks', MIN_WINDOW_BLOCKS),
    scheme: values.scheme,
    story: !values['no-story'],
    exit: values.exit,
    directory: values.directory,
    blockNewcomer: values['block-newcomer'],
  }
  if (options.scheme !== 'frost-secp256k1-evm')
    throw new Error(`--scheme ${options.scheme}: key 0 is frost-secp256k1-evm; ECDSA is not built yet`)
  if (options.threshold > options.relayers)
    throw new Error(`--threshold ${options.threshold}: more than the ${options.relayers} relayers`)
  if (options.story && (options.relayers !== 3 || options.threshold !== 2))
    throw new Error('the story is told by 3 relayers with threshold 2; give --no-story for others')
  return options
}
