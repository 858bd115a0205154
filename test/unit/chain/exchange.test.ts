// Endpoints that are bad at HTTP: silent, trickling, endless, packed far beyond their size, cut off; and nothing stays open.
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { EthersChain } from '../../../relayer/chain/client.ts'
import { clientOf } from '../../support/chain-client.ts'

const BRIDGE = `0x${'12'.repeat(20)}` as const

/** A server that does as it is told with each request, the connections that are open at it, and a client of it. */
async function badAtHttp(t: TestContext, rpcTimeoutMs: number, act: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    response.on('error', () => {})
    request.resume().on('end', () => act(response))
  })
  const open = new Set<unknown>()
  const idle = Promise.withResolvers<void>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      if (open.size === 0) idle.resolve()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // CAST: a listening TCP server has one
  const client: EthersChain = clientOf({ url: `http://127.0.0.1:${port}`, bridge: BRIDGE }, { rpcTimeoutMs })
  t.after(() => client.close())
  return { client, allClosed: idle.promise }
}

test('a request that is given up gives its connection up, be the endpoint silent or trickling', async (t) => {
  const timers: NodeJS.Timeout[] = []
  t.after(() => timers.forEach(clearInterval))
  const silent = () => {}
  const trickling = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    timers.push(setInterval(() => response.write(' '), 20))
  }
  for (const act of [silent, trickling]) {
    const { client, allClosed } = await badAtHttp(t, 100, act)
    await assert.rejects(client.head(), { name: 'ChainError', message: /no answer within 100 ms/ })
    await allClosed
  }
})

test('closing the client ends the requests that are under way', async (t) => {
  const asked = Promise.withResolvers<void>()
  const { client, allClosed } = await badAtHttp(t, 60_000, () => asked.resolve())
  const waiting = assert.rejects(client.head(), { name: 'ChainError' })
  await asked.promise
  client.close()
  await Promise.all([waiting, allClosed])
})

test('an answer without an end, packed or not, is read up to a bound only', async (t) => {
  const chunk = Buffer.alloc(1 << 20, 0x20)
  const endless = (response: ServerResponse) => {
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.writeHead(200).on('drain', more)
    more()
  }
  const bomb = gzipSync(Buffer.alloc(1 << 27, 0x20))
  const packed = (response: ServerResponse) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
  for (const act of [endless, packed]) {
    const { client, allClosed } = await badAtHttp(t, 60_000, act)
    await assert.rejects(client.head(), { name: 'LongAnswerError', message: /more than 33554432 bytes/ })
    client.close()
    await allClosed
  }
})

test('a packed answer is unpacked, and one that is cut off or wrongly packed is an error like others', async (t) => {
  const answer = (result: string) => gzipSync(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
  const packed = await badAtHttp(t, 5000, (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(answer('0x5')),
  )
  await assert.rejects(packed.client.check(), { message: /serves chain 5, not/ })
  for (const body of [answer('0x5').subarray(0, 20), Buffer.from('not packed')]) {
    const bad = await badAtHttp(t, 5000, (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body),
    )
    await assert.rejects(bad.client.check(), { name: 'ChainError' })
  }
  const cut = await badAtHttp(t, 5000, (response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy())
  })
  await assert.rejects(cut.client.check(), { name: 'ChainError', message: /ECONNRESET|aborted/ })
})
