// The configuration: one table of fields, read from a commented YAML file and TRUSS_* variables into a frozen Config.
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { ConfigError, ConfigProblems, messageOf } from './lib/errors.ts'
export { ConfigProblems } from './lib/errors.ts'
export { type Source, variableOf } from './lib/source.ts'
import { LOG_LEVELS, type LogLevel } from './lib/log.ts'
import {
  address,
  alias,
  deepFreeze,
  filled,
  majority,
  multiaddr,
  multiaddrWithPeer,
  rpcUrl,
  socketPath,
  whole,
  withQuorum,
} from './lib/settings.ts'
import { configText, misspeltIn, placeOf, type Source, variableOf } from './lib/source.ts'

/** A field's text (from file or environment) made into its value; throws an Error whose message says what to do. */
const text = <T>(parse: (value: string) => T) =>
  z.string({ error: 'must be one value: give it, without a list or nested keys' }).transform(checked(parse))

/** A list of such fields; in the environment separated by commas. */
const list = <T>(parse: (value: string) => T) =>
  z.array(z.string({ error: 'each entry must be one value' }).transform(checked(parse)), {
    error: 'must be a list: write [first, second], or one entry a line after "- "',
  })

const chainId = text(whole(1, Number.MAX_SAFE_INTEGER))
const rpcUrls = list(rpcUrl).refine((urls) => urls.length > 0, 'name at least one endpoint')
const rpcQuorum = text(whole(1, 100)).optional()
const otherBridge = z
  .strictObject({ chainId, bridge: text(address), rpcUrls, rpcQuorum })
  .transform(checked(withQuorum))

/** Every field of a relayer's configuration; `about` is the comment in the generated file. */
export const FIELDS = {
  chainId: { about: 'Chain id of the governance chain.', schema: chainId },
  bridge: { about: 'Address of Bridge.sol on the governance chain.', schema: text(address) },
  rpcUrls: {
    about: 'RPC endpoints of the governance chain. Use several, run by different people.',
    schema: rpcUrls,
  },
  rpcQuorum: {
    about: 'How many endpoints must agree before this node acts; more than half of them if absent.',
    schema: rpcQuorum,
  },
  rpcTimeoutMs: {
    about: 'How long one request to an endpoint may take, in milliseconds.',
    schema: text(whole(100, 600_000)).prefault('10000'),
  },
  pollMs: {
    about: 'Time between two looks at the chain, in milliseconds; at most half of its block time.',
    schema: text(whole(50, 60_000)).prefault('2000'),
  },
  confirmations: {
    about: 'When a block is final: the word finalized (the chain says so), or a depth in blocks.',
    schema: text((value): number | 'finalized' =>
      value === 'finalized' ? value : whole(0, 10_000, 'the word finalized, or ')(value),
    ).prefault('finalized'),
  },
  dataDirectory: {
    about: 'Where shares, records and the control socket are kept. One running relayer per directory.',
    schema: text(filled),
  },
  keystore: {
    about: "The operator's key: an Ethereum keystore file, version 3. Address, PeerId and account in one.",
    schema: text(filled),
  },
  passwordFile: {
    about: "File that holds the keystore's password. Without it the password is taken from TRUSS_PASSWORD.",
    schema: text(filled).optional(),
  },
  listen: {
    about: 'Where this node listens for other relayers.',
    schema: list(multiaddr).prefault(['/ip4/0.0.0.0/tcp/9700']),
  },
  announce: {
    about: 'Under which addresses others reach it, when that differs from listen (NAT, a name: /dns4/...).',
    schema: list(multiaddr).prefault([]),
  },
  bootstrap: {
    about: 'Bootnodes, with their PeerIds. One is enough to find everybody; several survive its loss.',
    schema: list(multiaddrWithPeer).prefault([]),
  },
  httpHost: {
    about: 'Address of the read-only HTTP server: /livez /readyz /status /metrics.',
    schema: text(filled).prefault('127.0.0.1'),
  },
  httpPort: { about: 'Its port; 0 takes a free one.', schema: text(whole(0, 65_535)).prefault('9780') },
  logLevel: {
    about: `One of ${LOG_LEVELS.join(', ')}.`,
    schema: text((value): LogLevel => {
      const level = LOG_LEVELS.find((name) => name === value)
      if (level === undefined) throw new Error(`must be one of ${LOG_LEVELS.join(', ')}`)
      return level
    }).prefault('info'),
  },
  dealMinThreshold: {
    about: 'Your rule: do not deal for a committee with a smaller threshold, until `truss reshare approve`.',
    schema: text(whole(2, 100)).prefault('2'),
  },
  dealMaxChanges: {
    about: 'Your rule: do not deal when more members than this join or leave in one change.',
    schema: text(whole(0, 100)).prefault('1'),
  },
  dealMinOverlap: {
    about: 'Your rule: do not deal when fewer members than this stay; if absent, as many as sign now.',
    schema: text(whole(0, 100)).optional(),
  },
  dealMaxThresholdStep: {
    about: 'Your rule: do not deal when the threshold rises or falls by more than this.',
    schema: text(whole(0, 100)).prefault('1'),
  },
  dealMajorityOnly: {
    about: 'Your rule: kept, no change gives a signing majority up; yes, there always is one; or no.',
    schema: text(majority).prefault('kept'),
  },
  dealSpanBlocks: {
    about:
      'Your rule: a change counts together with those activated within the last so many blocks; 0: alone.',
    schema: text(whole(0, 10_000_000)).prefault('7200'),
  },
  dealDelayBlocks: {
    about:
      'Your rule: deal only when so many blocks on top of the change are final; time to look, and to veto.',
    schema: text(whole(0, 10_000_000)).prefault('0'),
  },
  otherBridges: {
    about:
      'Bridges on other chains to watch: governance there, or another group key, is an alarm, and starts nothing here.',
    schema: z.array(otherBridge, { error: 'must be a list of chainId, bridge and rpcUrls' }).prefault([]),
  },
  aliases: {
    about: 'Names for addresses, shown beside them: "address: name", one a line.',
    schema: z
      .record(z.string(), z.string(), { error: 'must be lines of "address: name"' })
      .transform(checked((names) => Object.fromEntries(Object.entries(names).map(alias))))
      .prefault({}),
  },
} as const

export type FieldName = keyof typeof FIELDS

/** Variables that begin with TRUSS_ and are no field of the configuration. */
const OTHER_VARIABLES = ['TRUSS_CONFIG', 'TRUSS_PASSWORD', 'TRUSS_PRIVATE_KEY']

const shape = Object.fromEntries(
  Object.entries(FIELDS).map(([name, field]) => [name, field.schema]),
  // CAST: Object.fromEntries forgets which name has which schema
) as unknown as { [K in FieldName]: (typeof FIELDS)[K]['schema'] }

const relayerSchema = z.strictObject(shape).transform(checked(together))

/** A bootnode of one bridge turns the nodes of others away; without chainId and bridge it serves all. */
const bootnodeSchema = z
  .strictObject(shape)
  .pick({
    dataDirectory: true,
    listen: true,
    announce: true,
    bootstrap: true,
    httpHost: true,
    httpPort: true,
  })
  .extend({ chainId: chainId.optional(), bridge: shape.bridge.optional(), logLevel: shape.logLevel })

/** Commands beside the daemon take the same file; each asks for the fields that it needs. */
const toolSchema = z.strictObject(shape).partial()

/** A relayer's configuration. Paths are absolute. `rpcUrls` may carry API keys: never print them. */
export type Config = Readonly<z.output<typeof relayerSchema>>
/** A bootnode's configuration: it has no account, looks at no chain and holds no share. */
export type BootnodeConfig = Readonly<z.output<typeof bootnodeSchema>>
/** The same fields, each absent if it is not configured (defaults included otherwise). */
export type ToolConfig = Readonly<z.output<typeof toolSchema>>

/** @throws ConfigProblems with every unknown key and bad value */
export const loadConfig = (source: Source): Config => load(relayerSchema, source)
/** @throws ConfigProblems with every unknown key and bad value */
export const loadBootnodeConfig = (source: Source): BootnodeConfig => load(bootnodeSchema, source)
/** @throws ConfigProblems with every unknown key and bad value */
export const loadToolConfig = (source: Source): ToolConfig => load(toolSchema, source)

function load<T>(schema: z.ZodType<T>, source: Source): T {
  const { file, env } = source
  const values = { ...(file === null ? {} : readFile(file)), ...readEnvironment(env) }
  const base = file === null ? process.cwd() : dirname(resolve(file))
  for (const name of ['dataDirectory', 'keystore', 'passwordFile']) {
    const path = values[name]
    if (typeof path === 'string' && path !== '') values[name] = resolve(base, path)
  }
  const result = schema.safeParse(values)
  if (!result.success)
    throw new ConfigProblems(result.error.issues.flatMap((issue) => lines(issue, values, source)))
  const misspelt = misspeltIn(values, source)
  if (misspelt.length > 0) throw new ConfigProblems(misspelt)
  return deepFreeze(result.data)
}

function readFile(file: string): Record<string, unknown> {
  if (!existsSync(file))
    throw new ConfigError(`read configuration: there is no file ${file}`, {
      hint: 'make one with `truss init`, or name yours with --config FILE or TRUSS_CONFIG',
    })
  // The failsafe schema leaves every scalar as text: an unquoted 0x address is not made into a number.
  const document = parseDocument(configText(file), { schema: 'failsafe', logLevel: 'silent' })
  const value = plainly(document, file)
  if (value === null || value === '') return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ConfigError(`read configuration ${file}: it holds no settings`, {
      hint: 'write each setting as "name: value" on a line of its own',
    })
  return { ...value }
}

/** @throws ConfigError for what is no YAML, and for references that lead nowhere or to too much */
function plainly(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    const [error] = document.errors
    if (error !== undefined) throw error
    return document.toJS()
  } catch (error) {
    throw new ConfigError(`read configuration ${file}: ${messageOf(error).split(/:?\n/)[0]}`, {
      hint: 'write each setting as "name: value" on a line of its own',
    })
  }
}

function readEnvironment(env: Source['env']): Record<string, unknown> {
  const fields = new Map(Object.keys(FIELDS).map((name) => [variableOf(name), name]))
  const values: Record<string, unknown> = {}
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('TRUSS_') || value === undefined || OTHER_VARIABLES.includes(variable)) continue
    const name = fields.get(variable) ?? variable
    const parts = value.split(',').map((part) => part.trim())
    if (name === 'aliases') values[name] = Object.fromEntries(parts.map((part) => part.split('=', 2)))
    else if (name === 'otherBridges')
      values[name] = plainly(parseDocument(value, { schema: 'failsafe', logLevel: 'silent' }), variable)
    else if (['rpcUrls', 'listen', 'announce', 'bootstrap'].includes(name))
      values[name] = parts.filter((part) => part !== '')
    else values[name] = value
  }
  return values
}

/** One line for each thing that a zod issue says. */
function lines(issue: z.core.$ZodIssue, values: Record<string, unknown>, source: Source): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) =>
        `configuration (${placeOf(key, source)}): ${key}: there is no such setting: remove it or mend its spelling`,
    )
  const name = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : String(part)))
    .join('.')
    .replaceAll('.[', '[')
  const absent = issue.path.length === 1 && values[name] === undefined
  const said = absent ? `is missing: set it in the file or as ${variableOf(name)}` : issue.message
  const place = placeOf(String(issue.path[0] ?? ''), source)
  return [`configuration (${place}): ${name === '' ? '' : `${name}: `}${said}`]
}

/** Rules between fields. */
function together(config: z.output<z.ZodObject<typeof shape>>) {
  const { chainId: id, bridge, otherBridges } = config
  if (otherBridges.some((other) => other.chainId === id && other.bridge === bridge))
    throw new Error('otherBridges: one of them is the governance bridge itself: remove it')
  socketPath(config.dataDirectory)
  return withQuorum(config)
}

function checked<I, O>(parse: (value: I) => O) {
  return (value: I, context: z.core.$RefinementCtx<I>): O => {
    try {
      return parse(value)
    } catch (error) {
      context.issues.push({
        code: 'custom',
        message: error instanceof Error ? error.message : '',
        input: value,
      })
      return z.NEVER
    }
  }
}
