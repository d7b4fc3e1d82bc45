import fc from 'fast-check'

type Json = unknown

/** A JSON document with one to three nodes deleted, renamed or replaced by something else. */
export function mutations(document: Json): fc.Arbitrary<Json> {
  return fc.array(fc.tuple(fc.nat(), fc.nat(), replacement), { minLength: 1, maxLength: 3 }).map(steps => {
    const copy = structuredClone(document)
    for (const [where, how, value] of steps) mutate(copy, where, how, structuredClone(value))
    return copy
  })
}

const replacement: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    false,
    0,
    1,
    -1,
    0.5,
    1e9,
    2.5,
    '',
    'x',
    'none',
    'thompson',
    'fixed',
    'columns',
    '5m',
    [],
    {},
    [1, 1],
    ['a', 'a'],
  ),
  fc.constantFrom<Json[]>({ type: 'mean' }, { type: 'ucb' }, { type: 'array' }, { range: [0, 1] }, { min: 1 }, [{}], {
    a: 1,
  }),
  fc.string({ maxLength: 12 }),
  fc.double({ noNaN: true }),
)

function mutate(root: Json, where: number, how: number, value: Json): void {
  const places: [Record<string, Json>, string][] = []
  const collect = (node: Json) => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, Json>, key])
      collect((node as Record<string, Json>)[key])
    }
  }
  collect(root)
  if (places.length === 0) return
  const [parent, key] = places[where % places.length]
  if (Array.isArray(parent)) {
    if (how % 2 === 0) parent.splice(Number(key), 1)
    else parent[Number(key)] = value
  } else if (how % 3 === 0) {
    delete parent[key]
  } else if (how % 3 === 1) {
    parent[`${key}x`] = parent[key]
    delete parent[key]
  } else parent[key] = value
}
