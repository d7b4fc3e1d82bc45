import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where programs of others are kept from one run to the next. */
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dap-peers')

/** The folder of what such a text lists, made where it is not there yet. */
export const cachedFor = (text: string, make: (made: string) => Promise<void>): Promise<string> =>
  cached(createHash('sha256').update(text).digest('hex').slice(0, 16), make)

/** A folder is there as a whole or not at all, also when two runs make it at the same time or one is killed. */
export async function cached(name: string, make: (made: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name)
  if (existsSync(folder)) return folder
  await mkdir(CACHE, { recursive: true })
  const made = await mkdtemp(`${folder}.`)
  try {
    await make(made)
    await rename(made, folder).catch(error => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(made, { recursive: true, force: true })
  }
  return folder
}
