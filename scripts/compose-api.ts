/**
 * What `schemas/openapi.yaml` says of things that the JSON Schemas describe, too: written into it, so that it stays one file that any
 * generator of clients reads.
 */
import { stringify } from 'yaml'
import { find, type Schema } from './schema-files.ts'

/** Component → the definition that it is. */
const COMPONENTS: Readonly<Record<string, string>> = {
  ServedBy: 'decision.schema.json#/$defs/ServedBy',
  Explanation: 'decide-result.schema.json#/$defs/Explanation',
  ExplainedAction: 'decide-result.schema.json#/$defs/ExplainedAction',
  ExplainedSlot: 'decide-result.schema.json#/$defs/ExplainedSlot',
}

const MODE = 'decision.schema.json#/$defs/Mode'

/** The document, with what `read` gives of `schemas/` in it. */
export function composedApi(text: string, read: (path: string) => string): string {
  const definition = (ref: string) => {
    const [file] = ref.split('#')
    return find(ref, 'openapi.yaml', { [file]: JSON.parse(read(`schemas/${file}`)) as Schema })
  }
  const modes = definition(MODE).enum!.join(', ')
  const composed = text.replaceAll(/(mode: \{ type: string, enum: \[)[^\]]*/g, `$1${modes}`)
  return Object.entries(COMPONENTS).reduce((whole, [name, ref]) => {
    const place = new RegExp(`(?<=\\n    ${name}:\\n)(?: {6}.*\\n)+`)
    if (!place.test(whole)) throw new Error(`openapi.yaml has no component ${name}`)
    return whole.replace(place, () => indented(asComponent(definition(ref))))
  }, composed)
}

/** Numbers are doubles, which generators of clients need to be told. */
function asComponent({ $ref, properties, items, examples: _, ...rest }: Schema): object {
  if ($ref !== undefined) return { $ref: $ref.replace('#/$defs/', '#/components/schemas/') }
  const named = Object.entries(properties ?? {}).map(([name, property]) => [name, asComponent(property)] as const)
  return {
    ...rest,
    ...([rest.type].flat().includes('number') ? { format: 'double' } : {}),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(named) }),
    ...(items === undefined ? {} : { items: asComponent(items) }),
  }
}

const indented = (value: unknown) => stringify(value, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, '      ')
