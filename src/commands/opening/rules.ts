/** The repository's own rules about plans. */
import { join } from 'node:path'
import type { Diagnostic } from '../../diagnostics.ts'
import type { Host } from '../../host.ts'
import { InvalidFilesError } from '../../invalid-files.ts'
import type { ChangeRule } from '../../policy/change-rules.ts'
import { filesBelow } from './found-files.ts'
import { type Opened, readSource, type Source } from './repository.ts'

/** Beside dap.yaml. */
const FOLDER = 'rules'

export interface ReadRules {
  readonly sources: readonly Source[]
  readonly rules: readonly ChangeRule[]
  readonly diagnostics: readonly Diagnostic[]
}

const NONE: ReadRules = { sources: [], rules: [], diagnostics: [] }

/** Every rule of the repository, by name, and what is wrong with the others. */
export async function readRules(host: Host, { root, roots }: Pick<Opened, 'root' | 'roots'>): Promise<ReadRules> {
  const folder = join(root, FOLDER)
  if (!(await host.files.exists(folder))) return NONE
  const found = await filesBelow(host, folder, roots, path => path.endsWith('.cel'))
  if (found.length === 0) return NONE
  const { readChangeRule } = await import('../../policy/change-rules.ts')
  const sources = await Promise.all(found.map(file => readSource(host, root, file)))
  const rules: ChangeRule[] = []
  const diagnostics: Diagnostic[] = []
  for (const { path: file, text, unreadable } of sources) {
    const error = (message: string, at: Place, hint?: string) =>
      diagnostics.push({
        ...{ severity: 'error', code: text === undefined ? 'file' : 'cel', message, file, ...at },
        ...(hint === undefined ? {} : { hint }),
      })
    if (text === undefined) {
      error(`the file cannot be read: ${unreadable}`, { line: 1, column: 1, length: 1 })
      continue
    }
    const rule = readChangeRule(file.slice(FOLDER.length + 1, -'.cel'.length), text)
    if (!('fault' in rule)) rules.push(rule)
    else error(rule.fault.message, placeOf(text, rule.fault.offset ?? 0), rule.fault.hint)
  }
  return { sources, rules, diagnostics }
}

/** Everything that is wrong with a repository's files, its rules too. */
export async function faultsOf(host: Host, opened: Opened): Promise<readonly Diagnostic[]> {
  return [...opened.repository.diagnostics, ...(await readRules(host, opened)).diagnostics]
}

/** The rules of a repository, all of which can be judged by: without one of them a plan would pass that should not. */
export async function requireRules(host: Host, opened: Opened): Promise<readonly ChangeRule[]> {
  const { sources, rules, diagnostics } = await readRules(host, opened)
  if (diagnostics.length > 0)
    throw new InvalidFilesError([...new Set(diagnostics.map(({ file }) => file))], diagnostics, sources)
  return rules
}

type Place = Pick<Diagnostic, 'line' | 'column' | 'length'>

/** The word there, the text in quotes, or the one character. */
function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  const [word] = /^(?:\w+|'[^'\n]*'|"[^"\n]*")/.exec(text.slice(offset)) ?? ['1']
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n'), length: word.length }
}
