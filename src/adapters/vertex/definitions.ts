/** A part of a package's protobuf definitions, in the JSON of protobufjs. */
export interface Definitions {
  nested?: Record<string, Definitions>
}

/**
 * Runs `make` while the package's definitions hold what these services of v1 need, and nothing else: a tenth. A client parses and digests all
 * definitions when it is made, which takes a second of the whole. Afterwards they are whole again, for whoever else uses the package.
 */
export function withOnly<T>(definitions: Definitions, services: readonly string[], make: () => T): T {
  const versions = definitions.nested?.['google']?.nested?.['cloud']?.nested?.['aiplatform']
  const whole = versions?.nested
  const all = whole?.['v1']?.nested
  if (versions === undefined || all === undefined) return make()
  versions.nested = { v1: { nested: needed(all, services) } }
  try {
    return make()
  } finally {
    versions.nested = whole
  }
}

/** These definitions and all that they name, in the order of the file. */
function needed(all: Record<string, Definitions>, roots: readonly string[]): Record<string, Definitions> {
  const found = new Set<string>()
  const waiting = [...roots]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name) || !Object.hasOwn(all, name)) continue
    found.add(name)
    for (const type of typesIn(all[name])) waiting.push(type.replace('google.cloud.aiplatform.v1.', '').split('.')[0])
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => found.has(name)))
}

/** Names of types: of fields, of requests and responses, and of what an operation answers. */
function* typesIn(definition: unknown): Generator<string> {
  if (typeof definition !== 'object' || definition === null) return
  for (const [key, value] of Object.entries(definition)) {
    if (typeof value !== 'string') yield* typesIn(value)
    else if (/type$/i.test(key)) yield value
  }
}
