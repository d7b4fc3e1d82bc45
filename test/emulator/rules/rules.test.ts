import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { FAULT_KINDS } from '../../../src/emulator/faults.ts'
import { RULES, type Rule } from '../../../src/emulator/rules.ts'
import { STORAGE_IGNORED, STORAGE_METHODS, type StorageMethod } from '../../../src/emulator/storage/api.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const text = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => readFileSync(join(ROOT, folder, file), 'utf8'))
    .join('\n')

const rules = Object.entries<Rule>(RULES)
const page = readFileSync(join(ROOT, 'docs/emulator.md'), 'utf8')

/** What stands between two comments of the page. */
const between = (mark: string) =>
  page.slice(page.indexOf(`<!-- ${mark} -->`) + mark.length + 10, page.indexOf(`<!-- /${mark} -->`) - 1)

it('the code names every rule where it keeps it', () => {
  const code = text('src/emulator')
  const kept = (id: string, { code: refusal }: Rule) =>
    new RegExp(refusal ? `\\bbroken\\(\\s*'${id}'` : `\\b[Rr]ules?: (?:[a-z-]+, )*${id}\\b(?!-)`).test(code)
  expect(rules.filter(([id, rule]) => !kept(id, rule)).map(([id]) => id)).toEqual([])
})

it('the code names no rule that there is not', () => {
  const named = [...text('src/emulator').matchAll(/(?:\/\/|\*).*?\brule: ([a-z]+(?:-[a-z]+)*)\b/g)].map(([, id]) => id)
  expect(named.filter(id => !(id in RULES))).toEqual([])
})

it('every rule has a test that names it', () => {
  const tests = text('test/emulator')
  expect(
    rules.filter(([id]) => !tests.includes(`it('[${id}]`) && !tests.includes(`it("[${id}]`)).map(([id]) => id),
  ).toEqual([])
})

it('the page lists every rule', () => {
  const rows = rules.map(
    ([id, { source, code, text, where }]) => `| \`${id}\` | ${source} | ${code ?? ''} | ${text} | ${where} |`,
  )
  const table = ['| rule | source | code | says | where |', '|---|---|---|---|---|', ...rows].join('\n')
  expect(between('rules')).toBe(table)
})

it('the page lists every method of Cloud Storage, and what each acts upon', () => {
  const rows = Object.entries<StorageMethod>(STORAGE_METHODS).map(
    ([id, { reads }]) =>
      `| ${id} | ${reads ? 'yes' : '501'} | ${(reads ?? []).map(name => `\`${name}\``).join(', ')} |`,
  )
  expect(between('storage')).toBe(['| method | emulated | acts upon |', '|---|---|---|', ...rows].join('\n'))
  const ignored = Object.entries(STORAGE_IGNORED).map(([name, why]) => `| \`${name}\` | ${why} |`)
  expect(between('ignored')).toBe(['| parameter | why |', '|---|---|', ...ignored].join('\n'))
})

it('the page explains every fault', () => {
  const section = page.slice(page.indexOf('| fault | happens to |'), page.indexOf('## Rules'))
  const listed = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, fault]) => fault)
  expect(listed).toEqual(Object.keys(FAULT_KINDS))
})
