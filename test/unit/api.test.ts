// The daemon's two doors: the control socket for its operator alone, and HTTP that can only be read.
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ControlServer, PROBES_PER_MINUTE } from '../../relayer/api/control.ts'
import type { Daemon } from '../../relayer/api/daemon.ts'
import { type HealthCheck, ill, well } from '../../relayer/api/health.ts'
import { HttpServer } from '../../relayer/api/http.ts'
import { askDaemon } from '../../relayer/cli/daemon-client.ts'
import type { SignedProbe } from '../../relayer/bridge/relayer.ts'
import { DaemonError } from '../../relayer/cli/exit.ts'
import { toAddress } from '../../relayer/lib/bytes.ts'
import { InputError, NetworkError, StoreError } from '../../relayer/lib/errors.ts'
import { createMetrics } from '../../relayer/lib/metrics.ts'
import { scratch } from '../support/scratch.ts'

const SIGNER = toAddress(`0x${'ab'.repeat(20)}`)

function daemonWith(checks: readonly HealthCheck[]): Daemon {
  return {
    status: async () => ({ epoch: 3 }),
    health: async () => checks,
    keys: async () => [{ keyId: 0 }],
    evidence: async () => [],
    decide: async (verdict, choice) => ({ verdict, ...choice }),
    async signProbe({ keyId, text, include }, signal): Promise<SignedProbe> {
      if (text === 'never') await new Promise((_, reject) => signal.addEventListener('abort', reject))
      if (keyId > 0)
        throw new InputError(`sign probe: there is no key ${keyId}`, { hint: 'see `truss keys`' })
      const signers = include === undefined ? [] : [include]
      return { keyId, scheme: 's', epoch: 3, text, digest: '0x', groupKey: '0x', signature: '0x', signers }
    },
    declareLost: async () => {
      throw new StoreError('declare lost: the shares are readable', { hint: 'leave them where they are' })
    },
  }
}

async function control(context: TestContext): Promise<{ directory: string; socket: string }> {
  const directory = scratch('api')
  const socket = join(directory, 'truss.sock')
  const server = new ControlServer(daemonWith([well('rpc', 'fine')]), socket, () => 1000)
  await server.start()
  context.after(() => server.stop())
  return { directory, socket }
}

async function http(context: TestContext, checks: readonly HealthCheck[]): Promise<string> {
  const server = new HttpServer(daemonWith(checks), createMetrics(), { host: '127.0.0.1', port: 0 })
  const url = await server.start()
  context.after(() => server.stop())
  return url
}

test('the control socket has mode 0600, and answers the operator', async (context) => {
  const { directory, socket } = await control(context)
  assert.equal(statSync(socket).mode & 0o777, 0o600)
  const status = await askDaemon<{ epoch: number; health: HealthCheck[] }>(directory, 'GET', ['/status'])
  assert.equal(status.epoch, 3)
  assert.equal(status.health[0]?.check, 'rpc')
  const body = { keyId: 0, text: 'hello', include: SIGNER.toUpperCase().replace('0X', '0x') }
  const answer = await askDaemon<SignedProbe>(directory, 'POST', ['/sign-probe', body])
  assert.deepEqual(answer.signers, [SIGNER])
})

test('errors of the daemon keep their name and hint across the socket', async (context) => {
  const { directory } = await control(context)
  const lost = askDaemon(directory, 'POST', ['/declare-lost', { epoch: 3 }])
  await assert.rejects(lost, { name: 'StoreError', hint: 'leave them where they are' })
  for (const body of [{}, { epoch: -1 }, { epoch: 1, yes: true }])
    await assert.rejects(askDaemon(directory, 'POST', ['/declare-lost', body]), {
      name: 'InputError',
      message: /give the epoch that is meant/,
    })
  const probe = (body: object) => askDaemon(directory, 'POST', ['/sign-probe', body])
  await assert.rejects(probe({ keyId: 1, text: 'x' }), { name: 'InputError', message: /no key 1/ })
  await assert.rejects(probe({ keyId: 0, text: 'x'.repeat(257) }), {
    name: 'InputError',
    message: /256 bytes/,
  })
  await assert.rejects(probe({ keyId: 0, text: 'x', digest: '0x12' }), { name: 'InputError' })
  await assert.rejects(probe({ keyId: 0, text: 'x', include: 'bob' }), { message: /parse address/ })
})

test('a path that is unknown or cannot be decoded, and a body that is no JSON, are refused in the same form', async (context) => {
  const { directory, socket } = await control(context)
  await assert.rejects(askDaemon(directory, 'POST', ['/dance', {}]), {
    name: 'InputError',
    message: /knows no POST \/dance/,
  })
  await assert.rejects(askDaemon(directory, 'GET', ['/%zz']), { name: 'InputError' })
  const answer = await new Promise<string>((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const sent = request({ socketPath: socket, path: '/approve', method: 'POST', headers }, (response) => {
      response.setEncoding('utf8').once('data', resolve)
    })
    sent.once('error', reject).end('{')
  })
  assert.equal(JSON.parse(answer).error.name, 'InputError')
})

test('probes are limited per minute', async (context) => {
  const { directory } = await control(context)
  const probe = () => askDaemon(directory, 'POST', ['/sign-probe', { keyId: 0, text: 'x' }])
  for (let at = 0; at < PROBES_PER_MINUTE; at++) await probe()
  await assert.rejects(probe(), { name: 'InputError', message: /more than/ })
})

test('a probe that nobody signs ends after the time given', async (context) => {
  const { directory } = await control(context)
  const asked = askDaemon(directory, 'POST', ['/sign-probe', { keyId: 0, text: 'never', timeoutMs: 100 }])
  await assert.rejects(asked, { name: 'NotDoneError', message: /no signature within 100 ms/ })
})

test('a socket left behind by a crash is replaced, one that answers is not', async (context) => {
  const { directory, socket } = await control(context)
  const second = new ControlServer(daemonWith([]), socket, Date.now)
  await assert.rejects(second.start(), NetworkError)
  const left = join(directory, 'left.sock')
  writeFileSync(left, '')
  const third = new ControlServer(daemonWith([]), left, Date.now)
  await third.start()
  await third.stop()
})

test('nobody at the socket is an error of its own', async () => {
  await assert.rejects(askDaemon('/nowhere', 'GET', ['/status']), DaemonError)
})

test('HTTP serves four paths, and nothing that changes anything', async (context) => {
  const url = await http(context, [well('rpc', 'fine')])
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const get = async (path: string) => (await fetch(url + path)).status
  assert.deepEqual(
    await Promise.all(['/livez', '/readyz', '/status', '/metrics'].map(get)),
    [200, 200, 200, 200],
  )
  assert.equal(await get('/keys'), 404)
  assert.equal(await get('/%zz'), 400)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    for (const path of ['/status', '/sign-probe', '/declare-lost'])
      assert.equal((await fetch(url + path, { method })).status, 405, `${method} ${path}`)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^truss_epoch 0$/m)
})

test('/readyz is 503 with each critical reason and its remedy; a warning does not make it so', async (context) => {
  const bad = ill('rpc', 'critical', { message: 'no endpoint answers', remedy: 'check rpcUrls' })
  const odd = ill('balance', 'warning', { message: 'for one activation', remedy: 'send ether' })
  const down = await fetch(`${await http(context, [bad, odd])}/readyz`)
  assert.equal(down.status, 503)
  assert.deepEqual(await down.json(), {
    ready: false,
    reasons: ['rpc: no endpoint answers: check rpcUrls'],
    warnings: ['balance: for one activation: send ether'],
  })
  const up = await fetch(`${await http(context, [odd])}/readyz`)
  assert.equal(up.status, 200)
})

test('a port in use is refused in one line with a hint', async (context) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  context.after(() => other.close())
  const bound = other.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const server = new HttpServer(daemonWith([]), createMetrics(), { host: '127.0.0.1', port })
  await assert.rejects(server.start(), (error) => {
    assert.ok(error instanceof NetworkError)
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`))
    return error.hint !== ''
  })
  await server.stop()
})

test('bytes that are no HTTP and bodies that are too long do not stop the control server', async (context) => {
  const { directory, socket } = await control(context)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request({ socketPath: socket, path: '/sign-probe', method: 'POST' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.setHeader('content-type', 'application/json')
    sent.end(JSON.stringify({ keyId: 0, text: 'x'.repeat(10_000) }))
  })
  assert.ok(status !== undefined && status >= 400)
  assert.ok(await askDaemon(directory, 'GET', ['/status']))
})
