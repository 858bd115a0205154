// The devnet's leash: a process that outlives its driver by a moment, to stop everything that the driver started.
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const GRACE_MS = 12_000
const running = new Set<number>()

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // Already gone.
  }
}

// Ctrl-C reaches the whole process group; the leash has to be the last to go.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {})

// Lines "+pid" and "-pid"; the end of the input means that the driver is gone.
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1))
  if (line.startsWith('+')) running.add(pid)
  else running.delete(pid)
}

for (const pid of running) signal(pid, 'SIGTERM')
const deadline = Date.now() + GRACE_MS
while ([...running].some(alive) && Date.now() < deadline) await sleep(100)
for (const pid of running) signal(pid, 'SIGKILL')
