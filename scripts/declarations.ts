/** The declarations that the package ships: those that its entries lead to. The compiler writes one for every file of the program. */
import { execFileSync } from 'node:child_process'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER = 'dist/types'
const ENTRIES = ['index.d.ts', 'client.d.ts', 'adapters/duckdb/duckdb.d.ts']

export async function emitDeclarations(): Promise<void> {
  execFileSync('tsc', ['-p', 'tsconfig.types.json'], { stdio: 'inherit' })
  // A declaration that was generated as one is not emitted.
  await cp('src/generated/api.d.ts', join(FOLDER, 'generated/api.d.ts'))
  const reached = new Set<string>()
  for (const entry of ENTRIES) await reach(entry, reached)
  const all = await readdir(FOLDER, { recursive: true, withFileTypes: true })
  const files = all.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  await Promise.all(files.filter(file => !reached.has(file)).map(file => rm(file)))
}

async function reach(declaration: string, reached: Set<string>): Promise<void> {
  const path = join(FOLDER, declaration)
  if (reached.has(path)) return
  reached.add(path)
  const text = await readFile(path, 'utf8')
  for (const [, target] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) {
    await reach(join(declaration, '..', target.replace(/(\.d)?\.[jt]s$/, '.d.ts')), reached)
  }
}
