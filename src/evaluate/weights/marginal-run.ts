import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { ChunkGroups } from './groups.ts'
import { grown } from './grown.ts'
import { addWeights, createWeightSums, type WeightSums } from './weight-sums.ts'

/** The actions of a row that have something in common are of one group: by action, its number, which is below that of actions. */
export type GroupsAt = (i: number) => Int32Array

/** The weights of one candidate by groups of actions: π(group) / p(group) of that of the logged action. */
export interface MarginalRun {
  /** Of its weight (`marginalWeight`). */
  readonly key: string
  readonly sums: MarginalSums
  /** Begins a chunk: returns the column that weights are written to. */
  open(log: DecisionLog, facts: MarginalFacts): Float64Array
  /** Weighs row i, of which the candidate's probabilities are these. */
  weigh(i: number, pi: Float64Array): void
  /** Adds the weights of the chunk. */
  close(groups: ChunkGroups): void
}

/** What is known of the rows of a chunk. */
export interface MarginalFacts {
  readonly eligible: readonly Int32Array[]
  /** Row-major rows × actions. */
  readonly propensities: Float64Array
  readonly groupsAt: GroupsAt
}

export interface MarginalSums {
  readonly weights: WeightSums
  /** Σ h·π of groups that the log could not take. */
  unsupported: number
  /** The largest π(group) / p(group) of any group. */
  possible: number
}

export function createMarginalRun(key: string, actions: number): MarginalRun {
  const sums: MarginalSums = { weights: createWeightSums(), unsupported: 0, possible: 0 }
  const over = new Float64Array(actions)
  const under = new Float64Array(actions)
  let column: Float64Array = new Float64Array(0)
  let log: DecisionLog
  let facts: MarginalFacts
  return {
    key,
    sums,
    open(chunk, known) {
      log = chunk
      facts = known
      column = grown(column, log.rows)
      return column
    },
    weigh(i, pi) {
      const { propensities } = facts
      const eligible = facts.eligible[i]
      const groups = facts.groupsAt(i)
      const first = i * actions
      const own = groups[log.action[i]]
      const h = log.standsFor === undefined ? 1 : log.standsFor[i]
      for (let j = 0; j < eligible.length; j++) {
        const a = eligible[j]
        over[groups[a]] += pi[a]
        under[groups[a]] += propensities[first + a]
      }
      column[i] = over[own] / under[own]
      for (let j = 0; j < eligible.length; j++) {
        const group = groups[eligible[j]]
        if (over[group] > sums.possible * under[group]) {
          if (under[group] > 0) sums.possible = over[group] / under[group]
          else sums.unsupported += h * over[group]
        }
        over[group] = 0
        under[group] = 0
      }
    },
    close(groups) {
      addWeights(sums.weights, column, log, log.standsFor, groups)
    },
  }
}
