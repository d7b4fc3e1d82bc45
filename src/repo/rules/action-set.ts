import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { filePath, semantic } from './common.ts'
import { contextRules } from './context.ts'

/** What a set says beside its file, of which `src/repo/sets/` sees what is in it. */
export function* actionSetRules({ spec }: Resource<'ActionSet'>, repository: Lookup): Generator<Fault> {
  const { file, format, csv, id, features, from, until } = spec
  yield* filePath(file, ['spec', 'file'], repository)
  if (csv !== undefined && format !== 'csv') {
    const message = `\`csv\` says how CSV is written, but the format is \`${format}\``
    yield { ...semantic(['spec', 'csv'], message, 'take out `csv`, or write `format: csv`'), on: 'key' }
  }
  if (csv?.decimal === ',' && csv.delimiter === ',') {
    const message = '`decimal` and `delimiter` cannot both be `,`'
    const hint = 'where the decimal sign is a comma, fields are mostly set apart by `delimiter: ";"`'
    yield semantic(['spec', 'csv', 'decimal'], message, hint)
  }
  yield* contextRules(features, ['spec', 'features'])
  const columns = new Map([[id, 'id']])
  for (const [role, column] of Object.entries({ from, until })) {
    if (column === undefined) continue
    const other = columns.get(column) ?? (Object.hasOwn(features, column) ? 'features' : undefined)
    if (other !== undefined) {
      const message = `\`${column}\` is the column of \`${other}\` already`
      yield semantic(['spec', role], message, `name the column of its dates`)
    }
    columns.set(column, role)
  }
}
