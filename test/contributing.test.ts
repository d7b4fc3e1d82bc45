import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from './support/run-dap.ts'

const text = readFileSync(join(PACKAGE_ROOT, 'CONTRIBUTING.md'), 'utf8')

/** Rows of tables, entries of lists, paragraphs: a file's bare name is one of a folder that is named beside it. */
const passages = text.replace(/^ {4}.*$/gm, '').split(/\n(?=\||- |\d+\. |\n)/)

const FOLDERS = /^(src|schemas|scripts|test|docs|templates|bin|bench)\//

/** `schemas/{decision,reward}.schema.json` is two; in `schemas/KIND.schema.json` a word in capitals stands for any. */
function filesOf(span: string): readonly string[] {
  const [all, options] = /\{([^}]*)\}/.exec(span) ?? []
  return all === undefined ? [span] : options.split(',').map(option => span.replace(all, option))
}

const standsForAny = (path: string) => /\*|[A-Z]{4,}(?!\.md)/.test(path)

const exists = (path: string) =>
  existsSync(join(PACKAGE_ROOT, standsForAny(path) ? dirname(path.replace(/[^/]*[A-Z*].*$/, 'x')) : path))

describe('CONTRIBUTING.md', () => {
  const named = passages.map(passage => {
    const spans = [...passage.matchAll(/`([^`\s]+)`/g)].flatMap(([, span]) => filesOf(span))
    const full = spans.filter(span => FOLDERS.test(span))
    const bare = spans.filter(span => /^[\w-]+\.tsx?$/.test(span))
    return { passage, full, bare }
  })

  it('names files that exist', () => {
    const gone = named.flatMap(({ full }) => full.filter(path => !exists(path)))
    expect(gone).toEqual([])
    expect(named.flatMap(({ full }) => full).length).toBeGreaterThan(100)
  })

  it('names no file by its bare name but beside a folder that has it', () => {
    const lost = named.flatMap(({ passage, full, bare }) => {
      const folders = full.flatMap(path => [path, dirname(path), dirname(dirname(path))])
      return bare
        .filter(name => !folders.some(folder => existsSync(join(PACKAGE_ROOT, folder, name))))
        .map(name => `${name}: ${passage.slice(0, 60)}`)
    })
    expect(lost).toEqual([])
  })
})
