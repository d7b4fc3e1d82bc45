import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { anchor } from '../../scripts/markdown.ts'
import { pages } from '../../scripts/pages.ts'
import { readSchemas } from '../../scripts/schema-files.ts'
import { schemas as kindSchemas } from '../../src/generated/schemas.js'
import { kindWord } from '../../src/kind-word.ts'
import { KINDS } from '../../src/kinds.ts'
import { shapeFaults } from '../../src/repo/shape.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

const schemas = await readSchemas()
const made = pages(schemas, KINDS)
const FOLDER = 'docs/reference'

const read = (path: string) => readFileSync(join(PACKAGE_ROOT, path), 'utf8')
const markdown = (folder: string) =>
  readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.md'))
    .map(file => join(folder, file))

/** Text without blocks of code. */
const outsideBlocks = (text: string) => text.replace(/^ *```.*?^ *```$/gms, '')

const headings = (text: string) =>
  [...outsideBlocks(text).matchAll(/^#+ (.+)$/gm)].map(([, title]) => anchor(title.replaceAll('`', '')))

describe('docs/reference', () => {
  it('is what the schemas say: `node scripts/build.ts` writes it', () => {
    expect(readdirSync(join(PACKAGE_ROOT, FOLDER)).sort()).toEqual(Object.keys(made).sort())
    for (const [file, text] of Object.entries(made)) expect(read(join(FOLDER, file)), file).toBe(text)
  })

  it('has a page for every schema, which the index links to', () => {
    for (const file of Object.keys(schemas)) {
      expect(made['README.md']).toContain(`](${file.replace('.schema.json', '.md')})`)
    }
  })

  it.each(Object.keys(schemas))('names every field of %s, with what it means', file => {
    const text = made[file.replace('.schema.json', '.md')].replace(/\\\n|\s+/g, ' ')
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      const { properties, examples: _, default: __, ...rest } = value as Record<string, object>
      for (const [name, property] of Object.entries(properties ?? {})) {
        expect(text).toContain(`- **\`${name}\`**: `)
        const { description } = property as { description?: string }
        if (description !== undefined)
          expect(text).toContain(description.replace(/(`[^`]*`)|[<*[\]]/g, (s, c) => c ?? `\\${s}`))
        visit(property)
      }
      for (const inner of Object.values(rest)) visit(inner)
    }
    visit(schemas[file])
  })

  it.each(KINDS)('begins the page of %s with a whole example, which is valid', kind => {
    const [, example] = /^```yaml\n(.*?)^```$/ms.exec(made[`${kindWord(kind)}.md`])!
    expect(parse(example)).toMatchObject({ kind })
    expect(shapeFaults(parse(example), kindSchemas[kind])).toEqual([])
  })

  it('has no line that is wider than 120 columns, but for what cannot be broken', () => {
    for (const [file, text] of Object.entries(made)) {
      const wide = outsideBlocks(text)
        .split('\n')
        .filter(line => line.length > 120 && line.trim().includes(' '))
      expect(wide, file).toEqual([])
    }
  })

  it('gives no two sections of a page one address', () => {
    for (const [file, text] of Object.entries(made))
      expect(new Set(headings(text)).size, file).toBe(headings(text).length)
  })
})

describe('every page', () => {
  it.each(['README.md', 'CONTRIBUTING.md', ...markdown('docs')])('%s leads where there is something', page => {
    const links = [
      ...outsideBlocks(read(page))
        .replace(/`[^`]*`/g, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ].map(([, link]) => link)
    for (const link of links.filter(each => !/^[a-z]+:/.test(each))) {
      const [path, section] = link.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      if (section === undefined) expect(existsSync(join(PACKAGE_ROOT, file)), link).toBe(true)
      else expect(headings(read(file)), link).toContain(section)
    }
  })
})
