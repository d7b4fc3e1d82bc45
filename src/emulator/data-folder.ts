import { randomUUID } from 'node:crypto'
import { link, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity, thisProcess } from '../adapters/node/processes.ts'
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

/** The lock says which process has it; one whose process is gone is nobody's. It appears whole: nobody reads half of it. */
async function take(lock: string, folder: string): Promise<void> {
  const own = `${lock}.${randomUUID()}`
  await writeFile(own, JSON.stringify(thisProcess()))
  try {
    while (!(await linked(own, lock))) {
      const owner = ownerOf(await readFile(lock, 'utf8').catch(() => ''))
      const alive = owner !== undefined && isAlive(owner)
      if (owner !== undefined && alive !== false)
        throw new DapError(
          `\`${folder}\` is in use by the emulator with the process id ${owner.pid}${elsewhere(owner)}`,
          {
            hint: `stop that one, or take another folder with --data${alive === 'unknown' ? `; if it does not run any more, remove \`${lock}\`` : ''}`,
          },
        )
      await rm(lock, { force: true })
    }
  } finally {
    await rm(own, { force: true })
  }
}

const elsewhere = ({ host }: ProcessIdentity) => (host === thisProcess().host ? '' : ` on \`${host}\``)

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    throw new DapError(`\`${to}\` cannot be made: its disk has no links (${code})`, {
      hint: "take a folder on this machine's own disk with --data",
      cause: error,
    })
  }
}

function ownerOf(text: string): ProcessIdentity | undefined {
  try {
    const said = JSON.parse(text) as ProcessIdentity | null
    return typeof said?.host === 'string' ? said : undefined
  } catch {
    return undefined
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
