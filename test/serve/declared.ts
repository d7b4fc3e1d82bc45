/** What `schemas/openapi.yaml` says, and whether an answer is what it says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

interface Schemas {
  readonly [name: string]: { readonly examples?: readonly unknown[] }
}

export type Response = {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

interface Operation {
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, Response>>
}

export const document = parse(readFileSync(join(PACKAGE_ROOT, 'schemas', 'openapi.yaml'), 'utf8')) as {
  readonly openapi: string
  readonly security: readonly object[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Schemas; readonly responses: Readonly<Record<string, Response>> }
}

export const ajv = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  keywords: ['components'],
  formats: { 'date-time': true, double: true },
})
ajv.addSchema({ $id: 'openapi', components: document.components })

interface Answered {
  readonly type: string | undefined
  readonly text: string
  readonly json: unknown
}

const validators = new Map<object, ValidateFunction>()

/** Expects the content that is declared for the answer's status. */
export function conforms({ type, text, json }: Answered, declared: Response): void {
  const { content } = resolve(declared)
  if (content === undefined) {
    expect(text).toBe('')
    return
  }
  const [known, { schema }] = Object.entries(content)[0]
  expect(type?.split(';')[0]).toBe(known)
  if (json === undefined) return
  let validate = validators.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')))
    validators.set(schema, validate)
  }
  validate(json)
  expect(validate.errors, text).toBeNull()
}

const resolve = (response: Response): Response =>
  response.$ref === undefined ? response : document.components.responses[response.$ref.split('/').at(-1) as string]
