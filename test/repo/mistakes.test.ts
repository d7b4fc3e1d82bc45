import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ValidationResult } from '../../src/generated/types.ts'
import { MISTAKES, RIGHT_FILES } from '../support/mistakes.ts'
import { repository } from '../support/run-dap.ts'

/** One thing done wrong in a repository that is right, and all that `dap validate` is to say of it: mistakes.yaml. */
interface Mistake {
  readonly title: string
  readonly file: string
  /** Text → the text in its place. */
  readonly edit?: Readonly<Record<string, string>>
  readonly append?: string
  /** All of the file. */
  readonly text?: string
  readonly gone?: true
  readonly exit: number
  readonly says: readonly {
    readonly at: string
    readonly severity?: 'warning'
    readonly code: string
    readonly message: string
    readonly hint: string
  }[]
}

const TABLE = parse(readFileSync(join(MISTAKES, 'mistakes.yaml'), 'utf8')) as Mistake[]

function wrong({ file, edit = {}, append = '', text, gone }: Mistake): Record<string, string> {
  const { [file]: right, ...others } = RIGHT_FILES
  if (gone) return others
  let changed = text ?? right
  for (const [before, after] of Object.entries(edit)) {
    if (!changed.includes(before)) throw new Error(`${file} has no ${before}`)
    changed = changed.replace(before, () => after)
  }
  return { ...others, [file]: changed + append }
}

async function validate(files: Readonly<Record<string, string>>) {
  const { code, stdout } = await repository(files).dap('validate --json')
  return { exit: code, diagnostics: (JSON.parse(stdout) as ValidationResult).diagnostics }
}

describe('of a typical mistake', () => {
  it('nothing is left in the repository that it is made in', async () => {
    expect(await validate(RIGHT_FILES)).toEqual({ exit: 0, diagnostics: [] })
  })

  it('there are 86, each once', () => {
    expect(new Set(TABLE.map(({ title }) => title.split('.')[0])).size).toBe(86)
  })

  it.each(TABLE.map(mistake => [mistake.title, mistake] as const))('%s', async (_, mistake) => {
    const { exit, diagnostics } = await validate(wrong(mistake))
    const says = diagnostics.map(({ file, line, column, severity, code, message, hint }) => ({
      at: line === 0 ? file : `${file}:${line}:${column}`,
      ...(severity === 'warning' ? { severity } : {}),
      code,
      message,
      hint,
    }))
    expect({ exit, says }).toEqual({ exit: mistake.exit, says: mistake.says })
  })

  it('every diagnostic has a hint, and its place is in its file', async () => {
    for (const mistake of TABLE) {
      const files = wrong(mistake)
      for (const { file, line, column, length, hint } of (await validate(files)).diagnostics) {
        expect(hint).toBeTruthy()
        if (line > 0) expect(files[file].split('\n')[line - 1]?.length).toBeGreaterThanOrEqual(column + length - 1)
      }
    }
  })
})
