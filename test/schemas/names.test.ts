import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { kindsOf } from '../../scripts/names.ts'
import { readSchemas, type Schema } from '../../scripts/schema-files.ts'
import * as names from '../../src/generated/names.ts'
import { kindWord } from '../../src/kind-word.ts'
import { LOG_FAULT_CODES, severityOf } from '../../src/log/records/fault.ts'
import { expectPublished } from '../support/published.ts'
import { dap, PACKAGE_ROOT } from '../support/run-dap.ts'

const schemas = await readSchemas()
const sources = readdirSync(join(PACKAGE_ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(file => /\.tsx?$/.test(file) && !file.startsWith('generated'))
  .map(file => ({ file, text: readFileSync(join(PACKAGE_ROOT, 'src', file), 'utf8') }))

const IDS = Object.entries(names).filter(([name]) => name.endsWith('_SCHEMA')) as readonly (readonly [string, string])[]

describe('the name of a format', () => {
  it('is that of one published schema', () => {
    const published = Object.values(schemas).flatMap(({ properties }) => properties?.schema?.const ?? [])
    expect(IDS.map(([, id]) => id).sort()).toEqual([...published].sort())
    expect(new Set(published).size).toBe(published.length)
  })

  it('is written in no source: it would be one without a schema', () => {
    const written = sources.flatMap(({ file, text }) =>
      [...text.replace(/^ *(\/?\*|\/\/).*$/gm, '').matchAll(/['"`](dap\.[a-z-]+\/v\d+)/g)].map(
        ([, id]) => `${file}: ${id}`,
      ),
    )
    expect(written).toEqual([])
  })

  it('is said or asked for by some source: a schema of nothing is no schema', () => {
    const unused = IDS.filter(([name]) => !sources.some(({ text }) => new RegExp(`\\b${name}\\b`).test(text)))
    expect(unused).toEqual([])
  })

  it('belongs to every schema that is no kind', () => {
    const named = ({ properties }: Schema) => (properties?.schema?.const ?? properties?.schema?.enum) !== undefined
    const kinds = kindsOf(schemas).map(kind => `${kindWord(kind)}.schema.json`)
    const nameless = Object.keys(schemas).filter(file => !named(schemas[file]))
    expect(nameless.sort()).toEqual(kinds.sort())
  })
})

it('every kind has a schema that says its name', () => {
  for (const kind of names.KINDS) {
    expect(schemas[`${kindWord(kind)}.schema.json`].properties?.kind.const).toBe(kind)
  }
})

it('every code of a fault of a log has a severity', () => {
  for (const code of LOG_FAULT_CODES) expect(['error', 'warning']).toContain(severityOf(code))
})

describe('what is printed is what is published', () => {
  const project = { 'dap.yaml': 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n' }
  const printed = async (line: string, files = {}) => {
    const { code, stdout, stderr } = await dap(line, files)
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as unknown
  }

  it.each([
    ['init-result', 'init shop --template bandit --json', {}],
    ['new-id-result', 'init --new-id --json', project],
    ['new-result', 'new policy offer --json', project],
    ['new-ops-result', 'new ops --json', project],
    ['schemas-result', 'schema --out schemas --json', {}],
    ['explanation-result', 'explain Policy.spec.guardrails.minProbability --json', {}],
    ['explanation-result', 'explain Policy.spec.algorithm --json', {}],
    ['explanation-result', 'explain Policy.spec.context --json', {}],
  ])('%s: dap %s', async (name, line, files) => {
    expectPublished(name, await printed(line, files))
  })
})
