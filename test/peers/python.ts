import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { cached, cachedFor } from './cache.ts'

/** Installs Python's packages; taken from PATH where it is there, whatever its version. */
const UV = 'uv==0.13.9'

/** The Python of an environment that has what a file of exact versions lists. Made where it is not there yet: needs uv, or Python's pip. */
export async function pythonWith(requirements: string): Promise<string> {
  const folder = await cachedFor(await readFile(requirements, 'utf8'), async made => {
    const uv = await findUv()
    await execa(uv, ['venv', '--quiet', made])
    // The list is of all that is needed: what a package would like beside that, such as a TensorFlow for machines with a GPU, stays away.
    // Compiled once: who is told to keep no bytecode would compile all of it at every start.
    const install = ['pip', 'install', '--quiet', '--no-deps', '--compile-bytecode', '--requirements', requirements]
    await execa(uv, [...install, '--python', join(made, 'bin/python')])
  })
  return join(folder, 'bin/python')
}

async function findUv(): Promise<string> {
  if ((await execa('uv', ['--version'], { reject: false })).exitCode === 0) return 'uv'
  const folder = await cached(UV.replace('==', '-'), async made => {
    await execa('python3', ['-m', 'venv', made])
    await execa(join(made, 'bin/python'), ['-m', 'pip', 'install', '--quiet', UV])
  })
  return join(folder, 'bin/uv')
}
