import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DapError } from '../errors.ts'
import type { JsonObject, StateStore } from './ports.ts'

/** Where one emulator keeps what it knows. No other uses it at the same time. */
export interface DataFolder {
  readonly path: string
  readonly state: StateStore
  /** Gives the folder free, and removes it where it was a temporary one. */
  close(): Promise<void>
}

export async function openDataFolder(path: string | undefined): Promise<DataFolder> {
  const folder = path ?? (await mkdtemp(join(tmpdir(), 'dap-emulator-')))
  await mkdir(folder, { recursive: true })
  const lock = join(folder, 'emulator.pid')
  await take(lock, folder)
  return {
    path: folder,
    state: fileState(join(folder, 'state.json')),
    close: () => (path === undefined ? rm(folder, { recursive: true, force: true }) : rm(lock, { force: true })),
  }
}

/** The lock is the id of the process that has it; one whose process is gone is nobody's. */
async function take(lock: string, folder: string): Promise<void> {
  for (;;) {
    try {
      const file = await open(lock, 'wx')
      await file.writeFile(String(process.pid))
      return await file.close()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''))
    if (owner > 0 && isAlive(owner))
      throw new DapError(`\`${folder}\` is in use by the emulator with the process id ${owner}`, {
        hint: 'stop that one, or take another folder with --data',
      })
    await rm(lock, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** One write at a time: who saves waits for the save before. */
function fileState(path: string): StateStore {
  return {
    async load() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      try {
        return text === undefined ? undefined : (JSON.parse(text) as JsonObject)
      } catch (cause) {
        throw new DapError(`\`${path}\` is not JSON`, { hint: 'remove it to begin with an empty cloud', cause })
      }
    },
    async save(state) {
      await writeFile(`${path}.part`, JSON.stringify(state))
      await rename(`${path}.part`, path)
    },
  }
}
