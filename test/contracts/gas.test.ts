// The gas table in docs/ is the one that the contracts of this tree give.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { GAS_FILE, measureGas, SIZES } from '../../scripts/gas.ts'

test('the gas table has every row, and its first column is what is measured now', async () => {
  const rows = readFileSync(GAS_FILE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| call') && !line.startsWith('| ---'))
    .map((line) => line.slice(2, -2).split(' | '))
  const [smallest] = SIZES
  const measured = await measureGas(smallest)
  assert.deepEqual(
    rows.map(([title]) => title),
    [...measured.keys()],
    'run `node scripts/gas.ts`',
  )
  for (const [title = '', ...cells] of rows) {
    const gas = cells.map((cell) => Number(cell.replaceAll(',', '')))
    assert.equal(gas.length, SIZES.length, title)
    assert.ok(
      gas.every((value) => value > 21_000 && value < 2 ** 24),
      title,
    )
    const now = measured.get(title) ?? 0
    assert.ok(Math.abs((gas[0] ?? 0) - now) <= now / 100, `${title}: ${gas[0]} in the table, ${now} measured`)
  }
})
