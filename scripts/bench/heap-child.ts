// Child process of part `heap`: runs refreshes one after another, each on the shares of the one before, and weighs the heap.
import { operators, runAgain, runKeygen } from './ceremony.ts'
import type { HeapMark } from './heap.ts'

const [early, late] = process.argv.slice(2).map(Number)
const collect = globalThis.gc
if (early === undefined || late === undefined || collect === undefined)
  throw new Error('run it as: node --expose-gc scripts/bench/heap-child.ts EARLY LATE')

function weigh(refreshes: number): HeapMark {
  for (let i = 0; i < 3; i++) collect?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { refreshes, heapBytes: heapUsed, externalBytes: arrayBuffers }
}

const signers = operators(3)
const marks: HeapMark[] = []
let before = await runKeygen(signers, { t: 2 })
for (let refreshes = 1; refreshes <= late; refreshes++) {
  const next = await runAgain(signers, { op: 'refresh', before })
  before.close()
  before = next
  if (refreshes === early || refreshes === late) marks.push(weigh(refreshes))
}
console.log(JSON.stringify(marks))
