// The fuzzer's decoders of what an operator's tools send: requests to the two servers, and command lines.
import { METHODS } from 'node:http'
import type { Command } from 'commander'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { ControlServer } from '../../relayer/api/control.ts'
import type { Daemon } from '../../relayer/api/daemon.ts'
import { ill, well } from '../../relayer/api/health.ts'
import { readOnlyServer } from '../../relayer/api/http.ts'
import { createProgram, run } from '../../relayer/cli/program.ts'
import { toAddress, utf8 } from '../../relayer/lib/bytes.ts'
import { InputError, StoreError } from '../../relayer/lib/errors.ts'
import { createMetrics } from '../../relayer/lib/metrics.ts'
import { quietIo } from '../support/cli.ts'
import type { Decoder } from './fuzz-engine.ts'
import type { Dice } from './fuzz-random.ts'
import { bentValue } from './fuzz-structure.ts'

const MEMBER = toAddress(`0x${'22'.repeat(20)}`)
const TYPES = ['application/json', 'text/plain', '', 'application/json; charset=utf-8', 'multipart/form-data']

export function operatorDecoders(): Decoder[] {
  return [readOnly(), control(), commandLine()]
}

/** What a request says back that was refused, in a word. */
type Refusal = (status: number, body: { error?: unknown }) => string

/** A request as bytes: the method, path and content type on the first line, then the body. */
function request(bytes: Uint8Array): InjectOptions | null {
  const text = Buffer.from(bytes)
  const end = text.indexOf(10) === -1 ? text.length : text.indexOf(10)
  const [asked = '', path = '', ...type] = text.toString('latin1', 0, end).split(' ')
  const known = METHODS.includes(asked) && !['CONNECT', 'TRACE'].includes(asked)
  const method = (known ? asked : 'POST') as 'GET' // CAST: node's own list of methods
  const url = path.startsWith('/') ? path : `/${path}`
  // A path that is no part of a URL never leaves a client.
  if (!URL.canParse(url, 'http://localhost') || url.startsWith('//')) return null
  const contentType = type.join(' ').replaceAll(/[^\x20-\x7e]/g, '')
  const headers = contentType === '' ? {} : { 'content-type': contentType }
  const body = text.subarray(end + 1)
  return { method, url, headers, ...(body.length > 0 ? { payload: body } : {}) }
}

/** The status, and what kind of refusal; a status or a body that nobody promised is an error. */
async function asked(server: FastifyInstance, bytes: Uint8Array, refused: Refusal): Promise<string> {
  const parts = request(bytes)
  if (parts === null) return 'no request'
  const { statusCode: status, body } = await server.inject(parts)
  if (status < 400) return String(status)
  // A HEAD request has a status and no body.
  const said: unknown = body === '' && parts.method === ('HEAD' as 'GET') ? null : JSON.parse(body) // CAST: see request()
  if (said === null) return `${status} without a body`
  if (typeof said !== 'object') throw new Error(`${status} with ${body}`)
  return `${status} ${refused(status, said)}`
}

/** First lines and bodies put together anew. */
function requests(paths: readonly string[], bodies: readonly unknown[]) {
  return (dice: Dice): Uint8Array => {
    const method = dice.pick(['GET', 'POST', 'POST', 'POST', 'HEAD', 'PUT', 'OPTIONS'])
    const path = dice.pick(paths) + dice.pick(['', '', '', '/', '?a=1', '/%zz', `/${'x'.repeat(200)}`])
    const body = dice.pick(bodies)
    const text = dice.oneIn(4) ? body : bentValue(dice, body)
    const padding = dice.oneIn(20) ? ' '.repeat(5000) : ''
    return utf8(
      `${method} ${path} ${dice.oneIn(3) ? dice.pick(TYPES) : TYPES[0]}\n${JSON.stringify(text)}${padding}`,
    )
  }
}

/** How a message begins, up to what it quotes. */
function wordsIn(message: string): string {
  const [own = ''] = message.split(/['"]/)
  return own.replace(/ \/.*/, ' /').split(' ').slice(0, 14).join(' ').trimEnd().replaceAll(/\d+/g, 'N')
}

function readOnly(): Decoder {
  let ready = false
  const watched = {
    status: async () => ({ epoch: 3 }),
    health: async () => {
      ready = !ready
      return [ready ? well('rpc', 'fine') : ill('rpc', 'critical', { message: 'down', remedy: 'wait' })]
    },
  }
  const paths = ['/livez', '/readyz', '/status', '/metrics']
  const server = readOnlyServer(watched, createMetrics())
  return {
    name: 'HTTP request',
    covers: ['api/http.ts#readOnlyServer'],
    weight: 0.2,
    fewest: 3000,
    samples: paths.flatMap((path) => [utf8(`GET ${path} `), utf8(`HEAD ${path} application/json\n{}`)]),
    structured: requests([...paths, '/', '/sign-probe', '/keys'], [{}, { keyId: 0 }]),
    errors: [],
    run: async (bytes) => ({
      value: await asked(server, bytes, (status, { error }) => {
        if (status === 503) return 'not ready'
        if (status >= 500 || typeof error !== 'string') throw new Error(`${status}: ${JSON.stringify(error)}`)
        return wordsIn(error)
      }),
    }),
    reaches: [
      '200',
      '400 this request makes no sense',
      '404 GET /',
      '415 this request makes no sense',
      '405 this server is read-only',
      '503 not ready',
    ],
  }
}

/** Errors that a control server may answer with; their names are what `truss` takes its exit code from. */
const NAMES = ['InputError', 'RangeError', 'StoreError', 'NotDoneError']

function control(): Decoder {
  let time = 0
  const daemon: Daemon = {
    status: async () => ({ epoch: 3 }),
    health: async () => [],
    keys: async () => [],
    evidence: async () => [],
    decide: async (verdict, choice) => ({ verdict, ...choice }),
    signProbe: async ({ keyId, text, include }) => {
      const signers = include === undefined ? [] : [include]
      if (keyId > 9) throw new InputError(`sign probe: there is no key ${keyId}`)
      return { keyId, scheme: 's', epoch: 3, text, digest: '0x', groupKey: '0x', signature: '0x', signers }
    },
    declareLost: async () => {
      throw new StoreError('declare lost: the shares are readable')
    },
  }
  const server = new ControlServer(daemon, '/nowhere', () => (time += 20)).routes()
  const probe = { keyId: 0, text: 'probe', include: MEMBER, timeoutMs: 100 }
  const choice = { verdict: 'vetoed', epoch: 2, committeeHash: `0x${'33'.repeat(32)}` }
  const paths = ['/status', '/keys', '/evidence', '/sign-probe', '/declare-lost', '/decide']
  return {
    name: 'control request',
    covers: ['api/control.ts#ControlServer'],
    weight: 0.2,
    fewest: 3000,
    samples: [
      utf8(`POST /sign-probe ${TYPES[0]}\n${JSON.stringify(probe)}`),
      utf8(`POST /sign-probe ${TYPES[0]}\n${JSON.stringify({ ...probe, include: 'bob' })}`),
      utf8(`POST /sign-probe ${TYPES[0]}\n${JSON.stringify({ ...probe, keyId: 12 })}`),
      utf8(`POST /sign-probe ${TYPES[0]}\n${JSON.stringify({ ...probe, text: 'x'.repeat(257) })}`),
      utf8(`POST /decide ${TYPES[0]}\n${JSON.stringify(choice)}`),
      utf8(`POST /declare-lost ${TYPES[0]}\n{}`),
      utf8(`POST /declare-lost ${TYPES[0]}\n{"epoch": 3}`),
      utf8(`POST /declare-lost ${TYPES[0]}`),
      utf8(`POST /sign-probe ${TYPES[0]}\n${JSON.stringify({ ...probe, digest: '0x' })}`),
      ...paths.slice(0, 3).map((path) => utf8(`GET ${path} `)),
    ],
    structured: requests(paths, [probe, choice, { epoch: 3 }, {}]),
    errors: [],
    run: async (bytes) => ({
      value: await asked(server, bytes, (status, { error }) => {
        const { name, message } = (error ?? {}) as { name?: unknown; message?: unknown } // CAST: looked at below
        if (typeof name !== 'string' || !NAMES.includes(name) || typeof message !== 'string')
          throw new Error(`${status}: ${JSON.stringify(error)}`)
        return `${name}: ${wordsIn(message)}`
      }),
    }),
    reaches: [
      '200',
      '400 InputError: sign probe: Invalid input:',
      '400 InputError: sign probe: at most N',
      '400 InputError: sign probe: there is',
      '400 InputError: sign probe: more than',
      '400 InputError: decide about a change: give',
      '400 InputError: declare share lost: give',
      '400 InputError: Body is not valid',
      '400 InputError: sign probe: Unrecognized key:',
      '400 InputError: Body cannot be empty',
      '400 RangeError: parse address:',
      '404 InputError: ask the daemon: it knows no',
      '413 InputError: Request body is too',
      '415 InputError: Unsupported Media Type',
      '500 StoreError: declare lost:',
    ],
  }
}

/** The program as it is, with commands that do nothing once their arguments are parsed. */
function idle(command: Command): Command {
  for (const inner of command.commands) idle(inner)
  return command.commands.length > 0 ? command : command.action(() => undefined)
}

/** The words that its commands know. */
function wordsOf(command: Command): string[] {
  const own = command.options.flatMap(({ long, short }) => [long ?? '', short ?? ''])
  return [command.name(), ...own, ...command.commands.flatMap(wordsOf)].filter((word) => word !== '')
}

function commandLine(): Decoder {
  const program = createProgram(quietIo().io)
  const leaves = (command: Command, path: readonly string[]): string[][] =>
    command.commands.length === 0
      ? [[...path]]
      : command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]))
  const commands = leaves(program, [])
  const words = wordsOf(program)
  const values = [
    MEMBER,
    '2',
    '0',
    '-1',
    '1e3',
    'http://127.0.0.1:1',
    'anna',
    '',
    '--',
    '-',
    '1:2:3',
    '\u001b[2J',
  ]
  const line = (words: readonly string[]) => utf8(words.join('\0'))
  return {
    name: 'command line',
    covers: ['cli/program.ts#createProgram', 'cli/command.ts#argument', 'cli/command.ts#repeated'],
    weight: 0.05,
    fewest: 2000,
    samples: [...commands.map((path) => line([...path, MEMBER])), line(['--version']), line(['admin'])],
    structured: (dice) =>
      line([
        ...dice.pick(commands),
        ...Array.from({ length: dice.below(5) }, () => dice.pick(dice.oneIn(2) ? words : values)),
      ]),
    errors: [],
    run: async (bytes) => {
      const { io, out, err } = quietIo()
      const code = await run(Buffer.from(bytes).toString('utf8').split('\0'), io, (each) =>
        idle(createProgram(each)),
      )
      if (code !== 0 && code !== 2) throw new Error(`exit code ${code}: ${err.join('\n')}`)
      if (code === 0) return { value: out.length > 0 ? 'printed' : 'taken' }
      if (out.join('').includes('"code": 2')) return { value: 'refused in JSON' }
      const [first = '', ...more] = err
      // A command of commands without any of them shows its help.
      if (first.startsWith('Usage: ')) return { value: 'help' }
      if (more.length > 0 || !first.startsWith('truss: ') || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(first))
        throw new Error(`not one line: ${JSON.stringify(err)}`)
      return { value: wordsIn(first) }
    },
    reaches: [
      'printed',
      'taken',
      'help',
      'refused in JSON',
      'truss: unknown command',
      'truss: unknown option',
      'truss: missing required argument',
      'truss: start takes no argument',
      'truss: option',
      'truss: <',
    ],
  }
}
