/** The schemas as they are published, with one another, as an editor or a client's validator reads them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import { PACKAGE_ROOT } from './run-dap.ts'

const FOLDER = join(PACKAGE_ROOT, 'schemas')

/** `schemas/NAME.schema.json` */
export const published = <T = object>(name: string): T =>
  JSON.parse(readFileSync(join(FOLDER, `${name}.schema.json`), 'utf8'))

let all: Ajv2020 | undefined

/** Accepts what `schemas/NAME.schema.json` does. */
export function publishedValidator(name: string): ValidateFunction {
  if (all === undefined) {
    // What a condition says of a field need not say its type again.
    all = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false })
    const files = readdirSync(FOLDER).filter(file => file.endsWith('.json'))
    for (const file of files) all.addSchema(published(file.replace('.schema.json', '')))
  }
  return all.getSchema(published<{ readonly $id: string }>(name).$id)!
}

export function expectPublished(name: string, value: unknown): void {
  const validate = publishedValidator(name)
  validate(value)
  expect(validate.errors, name).toBeNull()
}
