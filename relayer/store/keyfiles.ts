// The KeyFiles port over a folder: every write and every destruction is on the disk before it is reported done.
import { mkdir, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../lib/errors.ts'
import type { KeyFiles } from './database.ts'

/**
 * The files of a folder, created (0700) if absent; files are 0600. A file cut short by a crash was never reported written,
 * so no record names it.
 * @throws StoreError if the folder cannot be made or read
 */
export async function openKeyFiles(folder: string): Promise<KeyFiles> {
  const path = (name: string) => {
    if (!/^[a-z0-9-]+\.key$/.test(name)) throw new RangeError(`name key file: ${name}`)
    return join(folder, name)
  }
  await guarded(`open key files ${folder}`, () => mkdir(folder, { recursive: true, mode: 0o700 }))
  return {
    write: (name, bytes) => guarded(`write key file ${name}`, () => writeOnce(path(name), folder, bytes)),
    read: (name) =>
      guarded(`read key file ${name}`, async () => {
        try {
          return new Uint8Array(await readFile(path(name)))
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return undefined
          throw error
        }
      }),
    destroy: (name) => guarded(`destroy key file ${name}`, () => overwriteAndUnlink(path(name), folder)),
    list: () =>
      guarded(`list key files ${folder}`, async () =>
        (await readdir(folder)).filter((name) => name.endsWith('.key')).sort(),
      ),
  }
}

async function writeOnce(path: string, folder: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncFolder(folder)
}

async function overwriteAndUnlink(path: string, folder: string): Promise<void> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(path, 'r+')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return syncFolder(folder)
    throw error
  }
  try {
    const { size } = await handle.stat()
    await handle.write(new Uint8Array(size), 0, size, 0)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await unlink(path)
  await syncFolder(folder)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function guarded<T>(action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const code = codeOf(cause)
    throw new StoreError(`${action}: ${code === 'EEXIST' ? 'it exists' : code}`, {
      cause,
      hint: 'check that the data directory is writable for the user that runs truss, and that its disk is sound and not full',
    })
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
