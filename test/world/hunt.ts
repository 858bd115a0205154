// `node test/world/hunt.ts [SEEDS] [WORDS]`: for each build without a safeguard, a seed under which an invariant breaks.
import { spawnSync } from 'node:child_process'
import { type Mutant, MUTANTS } from '../simulation/mutants/mutants.ts'
import { copyWith } from './copy.ts'
import type { Report } from './fleet.ts'
import { generate } from './generate.ts'

/** Those up to the last in which the safeguard is needed. */
function seedsFor({ against }: Mutant, last: number): number[] {
  const all = Array.from({ length: last }, (_, at) => at + 1)
  if (against === undefined) return all
  return all.filter((seed) => {
    const { corrupt, happenings } = generate(seed)
    const known = corrupt.flatMap(({ behaviours }) => behaviours)
    const faults = happenings.flatMap((each) => (each.kind === 'endpoint' ? [each.fault] : []))
    return against.some((what) => [...known, ...faults].includes(what))
  })
}

const [last = '500', words = ''] = process.argv.slice(2)
for (const mutant of MUTANTS.filter(({ without }) => without.includes(words))) {
  const { folder, remove } = copyWith(mutant.patches)
  const args = ['test/world/fleet.ts', seedsFor(mutant, Number(last)).join(',')]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  const lines = stdout.trim().split('\n')
  // CAST: what fleet.ts prints
  const report = lines.at(-1)?.startsWith('{') ? (JSON.parse(lines.at(-1) ?? '') as Report) : null
  const broken = report?.violation
  console.log(
    `${mutant.without}: ${broken ? `seed ${report?.seed}, the ${lines.length}th tried: "${broken.invariant}": ${broken.what.split('\n')[0]}` : `none of ${lines.length} ${stderr}`}`,
  )
  remove()
}
