// `npm run bench`: what the relayer computes, as ratios to primitives measured in the same run; goals met and goals missed.
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { measureCeremonies } from './bench/ceremonies.ts'
import { ConstantsLog } from './bench/constants.ts'
import { measureDevnet } from './bench/devnet.ts'
import { measureFrost } from './bench/frost.ts'
import { measureHeap } from './bench/heap.ts'
import { HELP, type Options, type PartName, parseOptions } from './bench/options.ts'
import { headLine, type Part, partLines, type Report, reportJson, writeMarkdown } from './bench/report.ts'

const say = (line: string) => console.error(`bench:   ${line}`)

async function measure(name: PartName, log: ConstantsLog, { quick, most }: Options): Promise<Part> {
  switch (name) {
    case 'constants':
      log.measure(quick ? 2 : 200)
      return log.part()
    case 'ceremonies':
      return await measureCeremonies(log, {
        ...(quick ? { most: 5, budgetMs: 50, calls: 2 } : { most, budgetMs: 2500, calls: 40 }),
        say,
      })
    case 'frost':
      return await measureFrost({
        sizes: quick
          ? [{ n: 3, t: 2 }]
          : [
              { n: 3, t: 2 },
              { n: 20, t: 14 },
            ],
        samples: quick ? 1 : 20,
      })
    case 'heap':
      return await measureHeap(quick ? { early: 2, late: 4 } : { early: 20, late: 200 })
    case 'devnet':
      return await measureDevnet(say)
  }
}

async function main(options: Options): Promise<void> {
  const began = performance.now()
  const load = loadavg()[0] ?? 0
  const log = new ConstantsLog()
  const parts: Part[] = []
  for (const name of options.parts) {
    console.error(`bench: ${name} …`)
    const part = await measure(name, log, options)
    parts.push(part)
  }
  // The constants were measured again beside other parts: show what all passes came to.
  const shown = parts.map((part) => (part.name === 'constants' ? log.part() : part))
  const report: Report = {
    quick: options.quick,
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    load,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    parts: shown,
  }
  console.log(`${headLine(report)}\n`)
  console.log(shown.flatMap(partLines).join('\n'))
  if (options.json !== null) writeFileSync(options.json, reportJson(report))
  if (options.markdown !== null) writeMarkdown(options.markdown, report)
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') console.log(HELP)
  else await main(options)
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(2)
}
