// `node test/world/hunt.ts [SEEDS] [WORDS]`: for each build without a safeguard, the first seed under which an invariant breaks.
import { spawnSync } from 'node:child_process'
import { MUTANTS } from '../simulation/mutants/mutants.ts'
import { copyWith } from './copy.ts'

const [seeds = '500', words = ''] = process.argv.slice(2)
for (const { without, patches } of MUTANTS.filter((mutant) => mutant.without.includes(words))) {
  const { folder, remove } = copyWith(patches)
  const args = ['test/world/main.ts', '--seeds', seeds, '--brief']
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  console.log(`${without}: ${stdout.trim() || stderr.trim()}`)
  remove()
}
