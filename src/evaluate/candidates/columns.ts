import { DapError } from '../../errors.ts'
import type { ScoreExplorationSpec } from '../../kinds.ts'
import type { Column, KeyColumn, NumberColumn } from '../../log/tables.ts'
import { createExploration } from '../../policy/algorithm.ts'
import { meanLearner } from '../../policy/learners/mean.ts'
import { type ActionSpace, eligibleActions, everyAction, type RowsCandidate, SUM_TOLERANCE } from './candidate.ts'

/** The column of each action: `{action}` stands for its id. */
export function actionColumns(space: ActionSpace, pattern: string): readonly string[] {
  return space.ids.map(id => pattern.replaceAll('{action}', id))
}

/** The log has the candidate's probabilities, a column an action. Throws a DapError where they are no distribution. */
export function probabilitiesCandidate(space: ActionSpace, pattern: string): RowsCandidate {
  return {
    kind: 'rows',
    columns: actionColumns(space, pattern).map(column => ({ column, type: 'number' })),
    bind(columns) {
      const values = columns.map(column => (column as NumberColumn).values)
      return (i, out) => {
        let sum = 0
        for (let a = 0; a < out.length; a++) {
          const p = values[a][i]
          if (p < 0) throw new DapError(`a probability in the columns \`${pattern}\` is negative: ${p}`)
          out[a] = p
          sum += p
        }
        if (Math.abs(sum - 1) > SUM_TOLERANCE) {
          throw new DapError(`the probabilities in the columns \`${pattern}\` of one row sum to ${sum}`)
        }
      }
    },
  }
}

/** The log has a score an action; `exploration` turns scores into probabilities over the eligible actions. */
export function scoresCandidate(space: ActionSpace, pattern: string, spec: ScoreExplorationSpec): RowsCandidate {
  const exploration = createExploration({ learner: { type: 'mean' }, exploration: spec }, space.ids)
  // These explorations look at values alone: those of an idle learner are overwritten row by row.
  const learner = meanLearner(space.ids.length)
  const scores = actionColumns(space, pattern).map(column => ({ column, type: 'number' }) as const)
  const eligibleAt = eligibleReader(space)
  return {
    kind: 'rows',
    columns: [...scores, ...(space.eligible === undefined ? [] : [{ column: space.eligible, type: 'key' } as const])],
    bind(columns) {
      const values = columns.slice(0, scores.length).map(column => (column as NumberColumn).values)
      const eligibleOf = eligibleAt(columns[scores.length])
      return (i, out) => {
        for (let a = 0; a < values.length; a++) learner.value[a] = values[a][i]
        const eligible = eligibleOf(i)
        if (eligible.length === 0) out.fill(0)
        else exploration.probabilities(learner, eligible, eligible.length, out)
      }
    },
  }
}

/** For a chunk's column of eligible sets (or none, when every action is eligible): row → eligible actions. */
export function eligibleReader(space: ActionSpace): (column: Column | undefined) => (i: number) => Int32Array {
  const all = everyAction(space)
  const known = new Map<string, Int32Array>()
  return column => {
    if (column === undefined) return () => all
    const { codes, dictionary } = column as KeyColumn
    return i => {
      const json = dictionary[codes[i]]
      let eligible = known.get(json)
      if (eligible === undefined) {
        eligible = eligibleActions(space, json)
        known.set(json, eligible)
      }
      return eligible
    }
  }
}
