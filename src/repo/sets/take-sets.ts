import type { PolicySpec, SetPool } from '../../kinds.ts'
import { isSet } from '../../policy/pool.ts'
import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { actionSetRules } from '../rules/action-set.ts'
import type { CellFault, SetReading } from './read-set.ts'

/** Reads the file of a set, whose path is told as diagnostics name it. */
export type ReadSet = (set: Resource<'ActionSet'>) => Promise<{ readonly file: string; readonly reading: SetReading }>

/** What became of the sets, by name: what each says, or the files that keep it from being known. */
export type Sets = ReadonlyMap<string, SetPool | { readonly files: readonly string[] }>

interface Report {
  fault(set: Resource, fault: Fault): void
  cell(file: string, fault: CellFault): void
}

/** Reads every set, each once. One that is wrong in itself is not looked into: its rules tell why. */
export async function readSets(
  sets: readonly Resource<'ActionSet'>[],
  repository: Lookup,
  read: ReadSet,
  report: Report,
): Promise<Sets> {
  const known = new Map<string, SetPool | { readonly files: readonly string[] }>()
  for (const set of sets) {
    const { name, spec, file: own } = set
    if (known.has(name)) continue
    if ([...actionSetRules(set, repository)].some(({ severity }) => severity !== 'warning')) {
      known.set(name, { files: [own] })
      continue
    }
    const { file, reading } = await read(set)
    if ('list' in reading) {
      known.set(name, { features: spec.features, list: reading.list })
      continue
    }
    const { faults, cells } = reading
    for (const fault of faults) report.fault(set, fault)
    for (const cell of cells) report.cell(file, cell)
    known.set(name, { files: [...(faults.length > 0 ? [own] : []), ...(cells.length > 0 ? [file] : [])] })
  }
  return known
}

/** The policy with the actions of its set, unless it has taken them in, as that of a bundle has, so that its digest is that of all that it says; undefined where they are not known. */
export function withSet(spec: PolicySpec, sets: Sets): PolicySpec | undefined {
  const { actions } = spec
  if (!isSet(actions)) return spec
  const pool = sets.get(actions.set) ?? actions.pool
  return pool === undefined || 'files' in pool ? undefined : { ...spec, actions: { ...actions, pool } }
}

/** In a repository the set's file says what is in it, and nothing else. */
export function poolFault({ actions }: PolicySpec): Fault | undefined {
  if (!isSet(actions) || actions.pool === undefined) return undefined
  const message = '`pool` is what dap writes into bundles: in a repository the file of the set says it'
  return { code: 'unknown-key', message, hint: 'take it out', path: ['spec', 'actions', 'pool'], on: 'key' }
}
