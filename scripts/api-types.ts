/**
 * `schemas/openapi.yaml` as `openapi.js`, which the server's routes are checked against, and `api.d.ts`: `components` and `paths` as
 * openapi-fetch takes them. openapi-typescript makes the same of any document, but it drives the compiler through an interface that
 * TypeScript 7 does not have.
 */
import type { Schema } from './schema-files.ts'
import { comment, type Emitter, member, members, typeOf } from './types.ts'

type Reference = { readonly $ref?: string }

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'header' | 'query'
  readonly required?: boolean
  readonly schema: Schema
}

interface Operation {
  readonly summary: string
  readonly parameters?: readonly (Parameter & Reference)[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content & Reference>>
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, Content>>
    readonly parameters: Readonly<Record<string, Parameter>>
  }
}

const OPENAPI_TYPES = `export const openapi: {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, object>> }>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}
`

export const apiFiles = (document: Document): Readonly<Record<string, string>> => ({
  'openapi.js': `export const openapi = JSON.parse(${JSON.stringify(JSON.stringify(document))})\n`,
  'openapi.d.ts': OPENAPI_TYPES,
  'api.d.ts': apiTypes(document),
})

function apiTypes({ paths, components }: Document): string {
  const schemas = members(
    Object.entries(components.schemas).map(([name, schema]) => member(name, schema, true, EMITTER)),
  )
  const operations = Object.entries(paths).map(([path, methods]) => {
    const each = Object.entries(methods).map(
      ([method, operation]) => `${comment(operation.summary)}${method}: ${operationType(operation, components)}`,
    )
    return `${JSON.stringify(path)}: ${members(each)}`
  })
  return `export interface components { schemas: ${schemas} }\n\nexport interface paths ${members(operations)}\n`
}

function operationType({ parameters = [], requestBody, responses }: Operation, components: Document['components']) {
  const known = parameters.map(parameter => resolve(parameter, components.parameters))
  const groups = (['path', 'header', 'query'] as const).flatMap(place => {
    const here = known.filter(parameter => parameter.in === place)
    const types = members(here.map(({ name, schema, required = false }) => member(name, schema, required, EMITTER)))
    return here.length === 0 ? [] : [`${place}${here.some(({ required }) => required) ? '' : '?'}: ${types}`]
  })
  const answers = Object.entries(responses).map(
    ([status, response]) => `${status}: ${contentType(resolve(response, components.responses))}`,
  )
  return members([
    `parameters: ${members(groups)}`,
    ...(requestBody === undefined ? [] : [`requestBody: ${contentType(requestBody)}`]),
    `responses: ${members(answers)}`,
  ])
}

function resolve<T>(value: T & Reference, named: Readonly<Record<string, T>>): T {
  return value.$ref === undefined ? value : named[last(value.$ref)]
}

function contentType({ content }: Content): string {
  if (content === undefined) return '{ content?: never }'
  const types = Object.entries(content).map(
    ([type, { schema }]) => `${JSON.stringify(type)}: ${typeOf(schema, EMITTER)}`,
  )
  return members([`content: ${members(types)}`])
}

const EMITTER: Emitter = {
  name: ref => `components['schemas'][${JSON.stringify(last(ref))}]`,
  filled: false,
  fixedLists: false,
}

const last = (pointer: string) => pointer.slice(pointer.lastIndexOf('/') + 1)
