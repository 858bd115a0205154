// Amounts in wei as an operator reads them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { etherText } from '../../../relayer/bridge/checks.ts'

test('an amount in wei is said in ether, with six digits that count', () => {
  assert.equal(etherText(0n), '0')
  assert.equal(etherText(546_000_007_644_000n), '0.000546')
  assert.equal(etherText(12_345_678n * 10n ** 15n), '12345.7')
  assert.equal(etherText(3n * 10n ** 18n), '3')
  assert.equal(etherText(7n), '0.000000000000000007')
})
