// Repairs what npm leaves out: run by npm on Node 20, it skips Hardhat's native binary, whose engines say Node 22.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

function complete() {
  try {
    createRequire(require.resolve('hardhat/package.json'))('@nomicfoundation/edr')
    return true
  } catch (error) {
    // A production install has no hardhat: nothing to repair.
    return error.code === 'MODULE_NOT_FOUND' && /Cannot find module 'hardhat\//.test(error.message)
  }
}

if (!complete() && !process.env.TRUSS_REPAIRING) {
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  const run = spawnSync(process.execPath, [process.env.npm_execpath, ...args], {
    stdio: 'inherit',
    env: { ...process.env, TRUSS_REPAIRING: '1' },
  })
  process.exitCode = run.status ?? 1
}
