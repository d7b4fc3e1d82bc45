import { nearest } from '../schema.ts'

/**
 * The families of machine types that Vertex AI serves from, as of 2026: family → shape → the numbers at the end, of vCPUs or of
 * accelerators. Google adds families: one that is not here may be right.
 */
const FAMILIES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  e2: shapes({ standard: '2 4 8 16 32', highmem: '2 4 8 16', highcpu: '2 4 8 16 32' }),
  n1: shapes({ standard: '2 4 8 16 32 64 96', highmem: '2 4 8 16 32 64 96', highcpu: '2 4 8 16 32 64 96' }),
  n2: shapes({
    standard: '2 4 8 16 32 48 64 80 96 128',
    highmem: '2 4 8 16 32 48 64 80 96 128',
    highcpu: '2 4 8 16 32 48 64 80 96',
  }),
  n2d: shapes({
    standard: '2 4 8 16 32 48 64 80 96 128 224',
    highmem: '2 4 8 16 32 48 64 80 96',
    highcpu: '2 4 8 16 32 48 64 80 96 128 224',
  }),
  c2: shapes({ standard: '4 8 16 30 60' }),
  c2d: shapes({ standard: '2 4 8 16 32 56 112', highmem: '2 4 8 16 32 56 112', highcpu: '2 4 8 16 32 56 112' }),
  c3: shapes({ standard: '4 8 22 44 88 176', highmem: '4 8 22 44 88 176', highcpu: '4 8 22 44 88 176' }),
  g2: shapes({ standard: '4 8 12 16 24 32 48 96' }),
  a2: shapes({ highgpu: '1g 2g 4g 8g', megagpu: '16g', ultragpu: '1g 2g 4g 8g' }),
  a3: shapes({ highgpu: '1g 2g 4g 8g', megagpu: '8g', ultragpu: '8g', edgegpu: '8g' }),
}

function shapes(named: Readonly<Record<string, string>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(named).map(([shape, sizes]) => [shape, sizes.split(' ')]))
}

const SHAPES = [...new Set(Object.values(FAMILIES).flatMap(Object.keys)), 'megamem', 'ultramem', 'hightpu']

const TYPES = Object.entries(FAMILIES).flatMap(([family, named]) =>
  Object.entries(named).flatMap(([shape, sizes]) => sizes.map(size => `${family}-${shape}-${size}`)),
)

/** What may have been meant by a machine type that is none, as a hint; undefined where it is one, or may be one of a family that is not known here. */
export function machineTypeHint(machineType: string): string | undefined {
  const [family, shape, ...rest] = machineType.split('-')
  const known = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined
  if (known === undefined) {
    if (SHAPES.includes(shape)) return undefined
    const meant = nearest(shape, SHAPES)
    const like = meant === undefined ? nearest(machineType, TYPES) : [family, meant, ...rest].join('-')
    return like && `did you mean \`${like}\`?`
  }
  if (!Object.hasOwn(known, shape)) {
    const meant = nearest(shape, Object.keys(known))
    return meant && `did you mean \`${[family, meant, ...rest].join('-')}\`?`
  }
  if (known[shape].includes(rest.join('-'))) return undefined
  return `\`${family}-${shape}\` comes with ${known[shape].join(', ')}`
}
