// Part `heap`: whether memory stays where it is over many refreshes, in a child process that may ask for garbage collection.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Part } from './report.ts'

const GOAL = 1.1
const MIB = 1 << 20

/** What the child prints: bytes of heap in use after this many refreshes. */
export interface HeapMark {
  readonly refreshes: number
  readonly heapBytes: number
  readonly externalBytes: number
}

/** @param of.early, of.late after how many refreshes to look */
export async function measureHeap(of: { early: number; late: number }): Promise<Part> {
  const child = fileURLToPath(new URL('heap-child.ts', import.meta.url))
  const args = ['--expose-gc', child, String(of.early), String(of.late)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const marks = JSON.parse(stdout) as HeapMark[] // CAST: printed by our own child
  const [early, late] = marks
  if (early === undefined || late === undefined) throw new Error(`bench heap: the child said ${stdout}`)
  return {
    name: 'heap',
    title: 'Heap of a process that simulates refreshes, 3 parties, 2 of 3',
    columns: ['refreshes', 'heap MiB', 'array buffers MiB'],
    rows: marks.map(({ refreshes, heapBytes, externalBytes }) => [
      refreshes,
      heapBytes / MIB,
      externalBytes / MIB,
    ]),
    goals: [
      {
        what: `heap after ${of.late} refreshes / after ${of.early}`,
        goal: GOAL,
        measured: (late.heapBytes + late.externalBytes) / (early.heapBytes + early.externalBytes),
      },
    ],
    failure: null,
  }
}
