// Carries IP packets between TUN devices, one of each namespace, and delays, drops or cuts them as it is told on its input.
import { read, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

/** What happens to packets from one address to another; a line of input, as JSON, replaces the rule of that pair. */
interface Rule {
  readonly from: string
  readonly to: string
  /** One way. */
  readonly delayMs: number
  /** Share of the packets that are lost, 0 to 1. */
  readonly loss: number
}

/** `--device ADDRESS=FD`, once per namespace: open TUN devices that carry bare IPv4 packets. */
const { values } = parseArgs({ options: { device: { type: 'string', multiple: true } } })
const MTU = 2048

const devices = new Map<string, number>()
const rules = new Map<string, Rule>()
for (const pair of values.device ?? []) {
  const [address = '', fd] = pair.split('=')
  devices.set(address, Number(fd))
}

const addressAt = (packet: Uint8Array, at: number) => packet.subarray(at, at + 4).join('.')

/** An address that is not a device's own belongs to the device that sent from it last. */
const learnt = new Map<string, number>()

function carry(packet: Uint8Array, device: number): void {
  if (packet.length < 20 || (packet[0] ?? 0) >> 4 !== 4) return
  const [from, to] = [addressAt(packet, 12), addressAt(packet, 16)]
  learnt.set(from, device)
  const known = learnt.get(to) ?? devices.get(to)
  // Whose address it is shows when it answers; the others drop what is not for them.
  const targets = known === undefined ? [...devices.values()].filter((each) => each !== device) : [known]
  const { delayMs, loss } = rules.get(`${from} ${to}`) ?? { delayMs: 0, loss: 0 }
  if (Math.random() < loss) return
  const deliver = () => {
    for (const target of targets)
      try {
        writeSync(target, packet)
      } catch {
        // The device is down: so is its network.
      }
  }
  if (delayMs === 0) deliver()
  else setTimeout(deliver, delayMs)
}

function listen(fd: number): void {
  const buffer = new Uint8Array(MTU)
  read(fd, buffer, 0, MTU, null, (error, size) => {
    if (error === null) carry(buffer.slice(0, size), fd)
    // A device that is not up yet reads as an error.
    if (error === null) listen(fd)
    else setTimeout(() => listen(fd), 50)
  })
}

for (const fd of devices.values()) listen(fd)
console.log('carrying')
for await (const line of createInterface({ input: process.stdin })) {
  const rule = JSON.parse(line) as Rule // CAST: written by the network of the tests
  rules.set(`${rule.from} ${rule.to}`, rule)
}
// An exit would wait for the reads, which wait for packets.
process.kill(process.pid, 'SIGKILL')
