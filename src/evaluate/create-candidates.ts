import { DapError } from '../errors.ts'
import type { CandidateSpec } from '../kinds.ts'
import type { LogColumns } from '../log/rows/layout.ts'
import type { Wanted } from '../log/rows/row-reader.ts'
import type { Tables } from '../log/tables.ts'
import type { OpenRuntime } from '../models/score-ahead.ts'
import type { Policy } from '../policy/policy.ts'
import type { ActionSpace, Candidate } from './candidates/candidate.ts'
import { probabilitiesCandidate, probabilityListCandidate, scoresCandidate } from './candidates/columns.ts'
import { policyCandidate } from './candidates/policy.ts'
import { fixedCandidate, uniformCandidate } from './candidates/simple.ts'
import { type ProbabilityTable, readProbabilityTable, tableCandidate } from './candidates/table.ts'

/** What candidates are made of, beside their specification; by candidate's name. */
export interface CandidateParts {
  readonly policies: ReadonlyMap<string, Policy>
  readonly tables: ReadonlyMap<string, ProbabilityTable>
  readonly openRuntime?: OpenRuntime
}

/** `root` is the folder that messages name files relative to. */
export async function readCandidateTables(
  specs: readonly CandidateSpec[],
  paths: ReadonlyMap<string, string>,
  root: string | undefined,
  tables: Tables,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ProbabilityTable>> {
  const read = new Map<string, ProbabilityTable>()
  for (const spec of specs) {
    if (!('table' in spec)) continue
    const file = { path: part(paths, spec.name), root }
    const table = await ofCandidate(spec, () => readProbabilityTable(tables, file, spec.table.by, signal))
    read.set(spec.name, table)
  }
  return read
}

/** The actions that candidates name by their ids, whether the log has them or not. */
export function namedActions(specs: readonly CandidateSpec[], { policies }: CandidateParts): string[] {
  return specs.flatMap(spec => {
    if ('fixed' in spec) return [spec.fixed]
    return 'policy' in spec ? [...part(policies, spec.name).actions] : []
  })
}

/** The cells of tables that name actions. */
export function tabledActions({ tables }: CandidateParts): string[] {
  return [...tables.values()].flatMap(table => [...table.values()].flatMap(distribution => [...distribution.keys()]))
}

export function createCandidate(
  spec: CandidateSpec,
  parts: CandidateParts,
  space: ActionSpace,
  columns: LogColumns,
): Candidate {
  try {
    if ('logging' in spec) return { kind: 'logging' }
    if ('uniform' in spec) return uniformCandidate(space)
    if ('fixed' in spec) return fixedCandidate(space, spec.fixed)
    if ('table' in spec) {
      const { by } = spec.table
      return tableCandidate(space, part(parts.tables, spec.name), by, by.map(columns.resolve))
    }
    if ('probabilities' in spec) {
      const { probabilities } = spec
      if ('list' in probabilities) return probabilityListCandidate(columns.resolve(probabilities.list))
      return probabilitiesCandidate(space, probabilities.columns)
    }
    if ('scores' in spec) return scoresCandidate(space, spec.scores.columns, spec.exploration)
    return policyCandidate(space, part(parts.policies, spec.name), columns, parts.openRuntime)
  } catch (error) {
    throw named(spec, error)
  }
}

/** What is wanted of the log for a candidate. */
export function candidateColumns(candidate: Candidate): readonly Wanted[] {
  switch (candidate.kind) {
    case 'logging':
      return []
    case 'cells':
      return candidate.keys.map(column => ({ column, type: 'key' }))
    case 'rows':
      return candidate.columns
  }
}

async function ofCandidate<T>(spec: CandidateSpec, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    throw named(spec, error)
  }
}

/** The same error, of that candidate. */
function named({ name }: CandidateSpec, error: unknown): unknown {
  if (!(error instanceof DapError)) return error
  const { message, hint, exitCode } = error
  return new DapError(`candidate \`${name}\`: ${message}`, { hint, exitCode, cause: error })
}

function part<T>(parts: ReadonlyMap<string, T>, candidate: string): T {
  const found = parts.get(candidate)
  if (found === undefined) throw new RangeError(`nothing was resolved for candidate ${candidate}`)
  return found
}
