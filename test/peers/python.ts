import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** Installs Python's packages; taken from PATH where it is there, whatever its version. */
const UV = 'uv==0.13.9'

/** Where environments are kept from one run to the next, a folder for each list of versions. */
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dap-peers')

/** The Python of an environment that has what a file of exact versions lists. Made where it is not there yet: needs uv, or Python's pip. */
export async function pythonWith(requirements: string): Promise<string> {
  const text = await readFile(requirements, 'utf8')
  const folder = join(CACHE, createHash('sha256').update(text).digest('hex').slice(0, 16))
  await once(folder, async made => {
    const uv = await findUv()
    await execa(uv, ['venv', '--quiet', made])
    // Compiled once: who is told to keep no bytecode would compile all of it at every start.
    const install = ['pip', 'install', '--quiet', '--compile-bytecode', '--requirements', requirements]
    await execa(uv, [...install, '--python', join(made, 'bin/python')])
  })
  return join(folder, 'bin/python')
}

async function findUv(): Promise<string> {
  if ((await execa('uv', ['--version'], { reject: false })).exitCode === 0) return 'uv'
  const folder = join(CACHE, UV.replace('==', '-'))
  await once(folder, async made => {
    await execa('python3', ['-m', 'venv', made])
    await execa(join(made, 'bin/python'), ['-m', 'pip', 'install', '--quiet', UV])
  })
  return join(folder, 'bin/uv')
}

/** A folder is there as a whole or not at all, also when two runs make it at the same time or one is killed. */
async function once(folder: string, make: (made: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return
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
}
