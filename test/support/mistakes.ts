import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { PACKAGE_ROOT } from './run-dap.ts'

export const MISTAKES = join(PACKAGE_ROOT, 'test/fixtures/mistakes')
const RIGHT = join(MISTAKES, 'repository')

/** The repository in which the mistakes are made: every file by its path, all of them right. */
export const RIGHT_FILES: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(RIGHT, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => [relative(RIGHT, path).split(sep).join('/'), readFileSync(path, 'utf8')]),
)
