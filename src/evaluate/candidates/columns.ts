import type { ScoreExplorationSpec } from '../../kinds.ts'
import { eligibleSet, probabilitiesFault, probabilitiesReader } from '../../log/rows/eligible.ts'
import { RowFault, type RowReader } from '../../log/rows/row-reader.ts'
import type { ColumnRequest, NumberColumn, ValueColumn } from '../../log/tables.ts'
import { createExploration } from '../../policy/algorithm.ts'
import { meanLearner } from '../../policy/learners/mean.ts'
import { type ActionSpace, everyAction, type RowsCandidate } from './candidate.ts'

/** The column of each action: `{action}` stands for its id. */
export function actionColumns(space: ActionSpace, pattern: string): ColumnRequest[] {
  return space.ids.map(id => ({ column: pattern.replaceAll('{action}', id), type: 'number' }))
}

/** The log has the candidate's probabilities, a column an action. A row where they are no distribution is a bad one. */
export function probabilitiesCandidate(space: ActionSpace, pattern: string): RowsCandidate {
  const requests = actionColumns(space, pattern)
  return {
    kind: 'rows',
    columns: [...requests, distributionCheck(requests, `\`${pattern}\``)],
    bind(columns) {
      const values = requests.map((_, a) => (columns[a] as NumberColumn).values)
      return (i, out) => {
        for (let a = 0; a < out.length; a++) out[a] = values[a][i]
      }
    },
  }
}

/** Makes nothing of a row, but finds fault with numbers that are no distribution. */
function distributionCheck(requests: readonly ColumnRequest[], name: string): RowReader<undefined> {
  const p = new Float64Array(requests.length)
  return {
    requests,
    bind(columns) {
      const values = columns.map(column => (column as NumberColumn).values)
      return i => {
        for (let a = 0; a < p.length; a++) p[a] = values[a][i]
        const wrong = probabilitiesFault(p)
        return wrong === undefined ? undefined : new RowFault(`${name} ${wrong}`)
      }
    },
  }
}

/** The log has them in one column of lists, which go with the eligible actions of the row. */
export function probabilityListCandidate(column: string): RowsCandidate {
  return {
    kind: 'rows',
    columns: [probabilitiesReader(column), eligibleSet],
    bind(columns) {
      const [lists, sets] = columns.map(each => (each as ValueColumn).values) as [Float64Array[], Int32Array[]]
      return (i, out) => {
        out.fill(0)
        const [list, eligible] = [lists[i], sets[i]]
        for (let j = 0; j < eligible.length; j++) out[eligible[j]] = list[j]
      }
    },
  }
}

/** The log has a score an action; `exploration` turns scores into probabilities over the eligible actions. */
export function scoresCandidate(space: ActionSpace, pattern: string, spec: ScoreExplorationSpec): RowsCandidate {
  const exploration = createExploration({ learner: { type: 'mean' }, exploration: spec }, space.ids)
  // These explorations look at values alone: those of an idle learner are overwritten row by row.
  const learner = meanLearner(space.ids.length)
  const scores = actionColumns(space, pattern)
  const all = everyAction(space)
  return {
    kind: 'rows',
    columns: [...scores, ...(space.eligible ? [eligibleSet] : [])],
    bind(columns) {
      const values = scores.map((_, a) => (columns[a] as NumberColumn).values)
      const sets = space.eligible ? (columns[scores.length] as ValueColumn).values : undefined
      return (i, out) => {
        for (let a = 0; a < values.length; a++) learner.value[a] = values[a][i]
        const eligible = sets === undefined ? all : (sets[i] as Int32Array)
        exploration.probabilities(learner, eligible, eligible.length, out)
      }
    },
  }
}
