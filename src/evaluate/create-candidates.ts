import { DapError } from '../errors.ts'
import type { CandidateSpec } from '../kinds.ts'
import type { LogColumns } from '../log/layout.ts'
import type { ColumnRequest, Tables } from '../log/tables.ts'
import type { Policy } from '../policy/policy.ts'
import type { ActionSpace, Candidate } from './candidates/candidate.ts'
import { probabilitiesCandidate, scoresCandidate } from './candidates/columns.ts'
import { policyCandidate } from './candidates/policy.ts'
import { fixedCandidate, uniformCandidate } from './candidates/simple.ts'
import { type ProbabilityTable, readProbabilityTable, tableCandidate } from './candidates/table.ts'

/** What candidates are made of, beside their specification; by candidate's name. */
export interface CandidateParts {
  readonly policies: ReadonlyMap<string, Policy>
  readonly tables: ReadonlyMap<string, ProbabilityTable>
}

export async function readCandidateTables(
  specs: readonly CandidateSpec[],
  paths: ReadonlyMap<string, string>,
  tables: Tables,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ProbabilityTable>> {
  const read = new Map<string, ProbabilityTable>()
  for (const spec of specs) {
    if (!('table' in spec)) continue
    read.set(spec.name, await readProbabilityTable(tables, part(paths, spec.name), spec.table.by, signal))
  }
  return read
}

/** The actions that candidates name, whether the log has them or not. */
export function namedActions(specs: readonly CandidateSpec[], { policies, tables }: CandidateParts): string[] {
  return specs.flatMap(spec => {
    if ('fixed' in spec) return [spec.fixed]
    if ('policy' in spec) return [...part(policies, spec.name).actions]
    if ('table' in spec) return [...part(tables, spec.name).values()].flatMap(distribution => [...distribution.keys()])
    return []
  })
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
    if ('probabilities' in spec) return probabilitiesCandidate(space, spec.probabilities.columns)
    if ('scores' in spec) return scoresCandidate(space, spec.scores.columns, spec.exploration)
    return policyCandidate(space, part(parts.policies, spec.name), columns)
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    throw new DapError(`candidate \`${spec.name}\`: ${error.message}`, { hint: error.hint, cause: error })
  }
}

/** The columns that a candidate reads of the log. */
export function candidateColumns(candidate: Candidate): readonly ColumnRequest[] {
  switch (candidate.kind) {
    case 'logging':
      return []
    case 'cells':
      return candidate.keys.map(column => ({ column, type: 'key' }))
    case 'rows':
      return candidate.columns
  }
}

function part<T>(parts: ReadonlyMap<string, T>, candidate: string): T {
  const found = parts.get(candidate)
  if (found === undefined) throw new RangeError(`nothing was resolved for candidate ${candidate}`)
  return found
}
