import type { DecisionLog } from '../log/decision-log.ts'
import type { Column, KeyColumn } from '../log/tables.ts'
import type { Candidate, CellsCandidate, RowsCandidate } from './candidates/candidate.ts'
import { createCells } from './cells.ts'
import { grown } from './log-sums.ts'
import { addRows, type CandidateSums, createCandidateSums, type RowValues, reserveCells } from './sums.ts'

/** What is known of every row of a chunk beside the log's own columns; shared by all candidates. */
export interface ChunkFacts {
  readonly stratum: Int32Array
  readonly strata: number
  /** The reward model: by stratum × action, or a column an action. */
  readonly model: { readonly q: Float64Array } | { readonly columns: readonly Float64Array[] } | undefined
  /** Row-major rows × actions, the logged propensity of every action, 0 where it was not eligible. */
  readonly propensities: Float64Array | undefined
}

/** Folds chunks into the sums of one candidate. `columns` are those that the candidate asked for, in its order. */
export interface CandidateRun {
  add(log: DecisionLog, columns: readonly Column[], facts: ChunkFacts): void
  /** The sums so far. */
  sums(): CandidateSums
}

export function createCandidateRun(candidate: Candidate, actions: number): CandidateRun {
  switch (candidate.kind) {
    case 'logging':
      return loggingRun()
    case 'cells':
      return cellsRun(candidate, actions)
    case 'rows':
      return rowsRun(candidate, actions)
  }
}

/** Its weights are 1; it needs no reward model, since the log has its rewards. */
function loggingRun(): CandidateRun {
  const sums = createCandidateSums()
  return {
    sums: () => sums,
    add(log) {
      addRows(sums, log, { probability: log.propensity, value: log.reward, q: log.reward }, false)
    },
  }
}

/** A combination of the key columns: π, and by stratum its Σh, the decisions, and its v (NaN until it is needed). */
interface CellState {
  readonly probabilities: Float64Array
  count: Float64Array
  value: Float64Array
}

function cellsRun(candidate: CellsCandidate, actions: number): CandidateRun {
  const sums = createCandidateSums()
  const cells = createCells(candidate.keys.length)
  const states: CellState[] = []
  const values = rowValues()
  let cell = new Int32Array(0)
  let strataSeen = 0

  function newState(index: number, strata: number): CellState {
    const state = {
      probabilities: candidate.distribution(cells.keys(index)),
      count: new Float64Array(strata),
      value: new Float64Array(strata).fill(Number.NaN),
    }
    states[index] = state
    return state
  }

  return {
    add(log, columns, facts) {
      const { rows, action, standsFor } = log
      const { stratum, strata, model, propensities } = facts
      strataSeen = Math.max(strataSeen, strata)
      if (cell.length < rows) cell = new Int32Array(rows)
      values.reserve(rows)
      cells.assign(columns as KeyColumn[], rows, cell)
      for (const state of states) {
        if (state === undefined) continue
        state.count = grown(state.count, strata)
        state.value = grown(state.value, strata, Number.NaN)
      }
      const { probability, value, q } = values.arrays()
      for (let i = 0; i < rows; i++) {
        const state = states[cell[i]] ?? newState(cell[i], strata)
        const s = stratum[i]
        const pi = state.probabilities
        probability[i] = pi[action[i]]
        state.count[s] += standsFor === undefined ? 1 : standsFor[i]
        if (propensities !== undefined) updateRatio(sums, pi, propensities, i, actions)
        if (model === undefined) continue
        if ('q' in model) {
          if (Number.isNaN(state.value[s])) state.value[s] = dot(pi, model.q, s * actions, actions)
          value[i] = state.value[s]
          q[i] = model.q[s * actions + action[i]]
        } else {
          value[i] = dotColumns(pi, model.columns, i)
          q[i] = model.columns[action[i]][i]
        }
      }
      addRows(sums, log, values.arrays(), model !== undefined)
      if (model !== undefined && 'q' in model) addValues(sums, log, facts, value, actions)
    },
    sums() {
      reserveCells(sums, strataSeen * actions)
      sums.mass.fill(0)
      sums.maxProbability.fill(0)
      for (const state of states) {
        if (state === undefined) continue
        for (let s = 0; s < state.count.length; s++) {
          if (state.count[s] === 0) continue
          for (let a = 0; a < actions; a++) {
            const p = state.probabilities[a]
            const at = s * actions + a
            sums.mass[at] += state.count[s] * p
            if (p > sums.maxProbability[at]) sums.maxProbability[at] = p
          }
        }
      }
      return sums
    },
  }
}

function rowsRun(candidate: RowsCandidate, actions: number): CandidateRun {
  const sums = createCandidateSums()
  const values = rowValues()
  const pi = new Float64Array(actions)
  return {
    sums: () => sums,
    add(log, columns, facts) {
      const { rows, action, standsFor } = log
      const { stratum, strata, model, propensities } = facts
      values.reserve(rows)
      reserveCells(sums, strata * actions)
      const { mass, maxProbability } = sums
      const { probability, value, q } = values.arrays()
      const write = candidate.bind(columns)
      for (let i = 0; i < rows; i++) {
        write(i, pi)
        probability[i] = pi[action[i]]
        const first = stratum[i] * actions
        const h = standsFor === undefined ? 1 : standsFor[i]
        for (let a = 0; a < actions; a++) {
          const p = pi[a]
          mass[first + a] += h * p
          if (p > maxProbability[first + a]) maxProbability[first + a] = p
        }
        if (propensities !== undefined) updateRatio(sums, pi, propensities, i, actions)
        if (model === undefined) continue
        if ('q' in model) {
          value[i] = dot(pi, model.q, first, actions)
          q[i] = model.q[first + action[i]]
        } else {
          value[i] = dotColumns(pi, model.columns, i)
          q[i] = model.columns[action[i]][i]
        }
      }
      addRows(sums, log, values.arrays(), model !== undefined)
      if (model !== undefined && 'q' in model) addValues(sums, log, facts, value, actions)
    },
  }
}

function addValues(
  sums: CandidateSums,
  { rows, action, standsFor }: DecisionLog,
  { stratum, strata }: ChunkFacts,
  value: Float64Array,
  actions: number,
): void {
  reserveCells(sums, strata * actions)
  const { value: total, valueSquared } = sums
  for (let i = 0; i < rows; i++) {
    const at = stratum[i] * actions + action[i]
    const hh = standsFor === undefined ? 1 : standsFor[i] * standsFor[i]
    total[at] += hh * value[i]
    valueSquared[at] += hh * value[i] * value[i]
  }
}

function updateRatio(
  sums: CandidateSums,
  pi: Float64Array,
  propensities: Float64Array,
  i: number,
  actions: number,
): void {
  for (let a = 0; a < actions; a++) {
    const p = propensities[i * actions + a]
    if (p > 0 && pi[a] > sums.maxRatio * p) sums.maxRatio = pi[a] / p
  }
}

function dot(pi: Float64Array, q: Float64Array, first: number, actions: number): number {
  let sum = 0
  for (let a = 0; a < actions; a++) sum += pi[a] * q[first + a]
  return sum
}

function dotColumns(pi: Float64Array, columns: readonly Float64Array[], i: number): number {
  let sum = 0
  for (let a = 0; a < pi.length; a++) sum += pi[a] * columns[a][i]
  return sum
}

/** Buffers that grow to the longest chunk. */
function rowValues(): { reserve(rows: number): void; arrays(): RowValues } {
  const allocate = (rows: number): RowValues => ({
    probability: new Float64Array(rows),
    value: new Float64Array(rows),
    q: new Float64Array(rows),
  })
  let current = allocate(0)
  return {
    reserve(rows) {
      if (current.probability.length < rows) current = allocate(rows)
    },
    arrays: () => current,
  }
}
