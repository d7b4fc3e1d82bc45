import type { DecisionLog } from '../../log/rows/decision-log.ts'
import { SUM_TOLERANCE } from '../../log/rows/eligible.ts'
import type { Column, KeyColumn } from '../../log/tables.ts'
import type { Candidate, CellsCandidate, RowsCandidate } from '../candidates/candidate.ts'
import type { Series } from '../estimators/series.ts'
import { createCells } from './cells.ts'
import type { ChunkGroups } from './groups.ts'
import { grown } from './grown.ts'
import type { LogSums } from './log-sums.ts'
import type { GroupsAt, MarginalRun } from './marginal-run.ts'
import { addRows, type CandidateColumns, type CandidateSums, createCandidateSums, reserveCells } from './sums.ts'

/** What is known of every row of a chunk beside the log's own columns; shared by all candidates. */
export interface ChunkFacts {
  readonly groups: ChunkGroups
  readonly stratum: Int32Array
  readonly strata: number
  /** The reward model: by stratum × action, or a column an action. */
  readonly model: { readonly q: Float64Array } | { readonly columns: readonly Float64Array[] } | undefined
  /** The actions that could be taken, of a log that says so. */
  readonly eligible: readonly Int32Array[] | undefined
  /** Row-major rows × actions, the logged propensity of every action, 0 where it was not eligible. */
  readonly propensities: Float64Array | undefined
  /** Of each marginal run, in their order: which actions of a row are alike. */
  readonly groupsOfActions?: readonly GroupsAt[]
}

/** Folds chunks into the sums of one candidate. `columns` are those that the candidate asked for, in its order. */
export interface CandidateRun {
  open(log: DecisionLog, columns: readonly Column[], facts: ChunkFacts): OpenChunk
  /** The sums so far; `log`: those over the log of the same rows. */
  sums(log: LogSums): CandidateSums
}

/** A chunk that is being added. */
export interface OpenChunk {
  /** Asked of every row once, in their order: the probability of every action, until the next row is asked for. */
  vector(i: number): Float64Array
  /** After the last row. */
  close(): void
  /** What the reward model says of each row, after the last. */
  readonly value: Float64Array
}

/** Adds a chunk by itself. */
export function addChunk(run: CandidateRun, log: DecisionLog, columns: readonly Column[], facts: ChunkFacts): void {
  const { vector, close } = run.open(log, columns, facts)
  for (let i = 0; i < log.rows; i++) vector(i)
  close()
}

/** `series`: what is summed (`candidateSeries`); `marginals` are run along. */
export function createCandidateRun(
  candidate: Candidate,
  actions: number,
  series: readonly Series[],
  marginals: readonly MarginalRun[] = [],
): CandidateRun {
  switch (candidate.kind) {
    case 'logging':
      return loggingRun(series)
    case 'cells':
      return cellsRun(candidate, actions, series, marginals)
    case 'rows':
      return rowsRun(candidate, actions, series, marginals)
  }
}

/** Its weights are 1, and every estimator of it is the mean reward: it has no use for a reward model. */
function loggingRun(series: readonly Series[]): CandidateRun {
  const [weight] = series
  const sums = createCandidateSums([weight])
  const columnsFor = candidateColumns()
  return {
    sums: () => sums,
    open(log, _, { groups }) {
      const own = { ...columnsFor(log), probability: log.propensity }
      return {
        vector: () => NOBODY,
        close: () => addRows(sums, [weight], log, own, groups, false),
        value: own.value,
      }
    },
  }
}

/** Of a policy that is not asked. */
const NOBODY = new Float64Array(0)

/**
 * A combination of the key columns: π, the least propensity of each action, and by stratum Σh and v (NaN until it is needed). Where there are
 * no key columns, the log has counted what is counted here.
 */
interface CellState {
  readonly probabilities: Float64Array
  readonly minPropensity: Float64Array
  count: Float64Array
  value: Float64Array
}

function cellsRun(
  candidate: CellsCandidate,
  actions: number,
  series: readonly Series[],
  marginals: readonly MarginalRun[],
): CandidateRun {
  const sums = createCandidateSums(series)
  const cells = createCells(candidate.keys.length)
  const states: CellState[] = []
  const columnsFor = candidateColumns()
  let cell = new Int32Array(0)
  let strataSeen = 0
  let setsSeen = false

  function newState(index: number, strata: number): CellState {
    const state = {
      probabilities: candidate.distribution(cells.keys(index)),
      minPropensity: new Float64Array(actions).fill(Infinity),
      count: new Float64Array(strata),
      value: new Float64Array(strata).fill(Number.NaN),
    }
    states[index] = state
    return state
  }

  return {
    open(log, columns, facts) {
      const { rows, action, propensity, standsFor } = log
      const { stratum, strata, model, propensities, eligible } = facts
      strataSeen = Math.max(strataSeen, strata)
      setsSeen ||= eligible !== undefined
      if (cell.length < rows) cell = new Int32Array(rows)
      cells.assign(columns as KeyColumn[], rows, cell)
      for (const state of states) {
        if (state === undefined) continue
        state.count = grown(state.count, strata)
        state.value = grown(state.value, strata, Number.NaN)
      }
      if (eligible !== undefined) reserveCells(sums, strata * actions)
      const own = columnsFor(log)
      const { probability, value, predicted } = own
      if (candidate.keys.length === 0) {
        const { probabilities } = states[0] ?? newState(0, strata)
        for (let i = 0; i < rows; i++) probability[i] = probabilities[action[i]]
      } else {
        for (let i = 0; i < rows; i++) {
          const state = states[cell[i]] ?? newState(cell[i], strata)
          const a = action[i]
          probability[i] = state.probabilities[a]
          if (propensity[i] < state.minPropensity[a]) state.minPropensity[a] = propensity[i]
          state.count[stratum[i]] += standsFor === undefined ? 1 : standsFor[i]
        }
      }
      if (eligible !== undefined) {
        for (let i = 0; i < rows; i++) {
          const h = standsFor === undefined ? 1 : standsFor[i]
          addMass(sums, states[cell[i]].probabilities, h, stratum[i] * actions, eligible[i])
        }
      }
      if (propensities !== undefined) {
        for (let i = 0; i < rows; i++) updateRatio(sums, states[cell[i]].probabilities, propensities, i, actions)
      }
      const marginal = openMarginals(marginals, log, facts)
      weighAll(marginals, rows, i => states[cell[i]].probabilities)
      if (model === undefined) {
        // There are no values and predictions.
      } else if ('q' in model) {
        for (let i = 0; i < rows; i++) {
          const { probabilities, value: known } = states[cell[i]]
          const s = stratum[i]
          if (Number.isNaN(known[s])) known[s] = dot(probabilities, model.q, s * actions, actions)
          value[i] = known[s]
          predicted[i] = model.q[s * actions + action[i]]
        }
      } else {
        for (let i = 0; i < rows; i++) {
          value[i] = dotColumns(states[cell[i]].probabilities, model.columns, i)
          predicted[i] = model.columns[action[i]][i]
        }
      }
      return {
        vector: i => states[cell[i]].probabilities,
        close() {
          addRows(sums, series, log, { ...own, marginal }, facts.groups, model !== undefined)
          closeMarginals(marginals, facts)
          if (model !== undefined && 'q' in model) addValues(sums, log, facts, value, actions)
        },
        value,
      }
    },
    sums(log) {
      if (candidate.keys.length === 0 && states.length > 0) countAll(states[0], log)
      reserveCells(sums, strataSeen * actions)
      if (!setsSeen) sums.mass.fill(0)
      sums.maxProbability.fill(0)
      for (const { probabilities, minPropensity, count } of states.filter(state => state !== undefined)) {
        for (let a = 0; a < actions; a++) {
          // What is known of a cell is known better than what holds of all; 0 of what it never took.
          sums.maxRatio = Math.max(sums.maxRatio, probabilities[a] / minPropensity[a])
        }
        for (let s = 0; s < count.length; s++) {
          if (count[s] === 0) continue
          for (let a = 0; a < actions; a++) {
            const p = probabilities[a]
            const at = s * actions + a
            if (!setsSeen) sums.mass[at] += count[s] * p
            if (minPropensity[a] === Infinity) sums.maxProbability[at] = Math.max(sums.maxProbability[at], p)
          }
        }
      }
      return sums
    },
  }
}

/** What is counted of the only combination: it is the whole log. */
function countAll({ minPropensity, count }: CellState, log: LogSums): void {
  const actions = minPropensity.length
  for (let s = 0; s < count.length; s++) {
    count[s] = 0
    for (let a = 0; a < actions; a++) {
      const at = s * actions + a
      count[s] += log.count[at]
      minPropensity[a] = Math.min(minPropensity[a], log.minPropensity[at])
    }
  }
}

function rowsRun(
  candidate: RowsCandidate,
  actions: number,
  series: readonly Series[],
  marginals: readonly MarginalRun[],
): CandidateRun {
  const sums = createCandidateSums(series)
  const columnsFor = candidateColumns()
  const pi = new Float64Array(actions)
  return {
    sums: () => sums,
    open(log, columns, facts) {
      const { action, standsFor } = log
      const { stratum, strata, model, propensities, eligible } = facts
      reserveCells(sums, strata * actions)
      const { maxProbability } = sums
      const own = columnsFor(log)
      const { probability, value, predicted } = own
      const write = candidate.bind(columns)
      const marginal = openMarginals(marginals, log, facts)
      return {
        vector(i) {
          write(i, pi)
          probability[i] = pi[action[i]]
          const first = stratum[i] * actions
          addMass(sums, pi, standsFor === undefined ? 1 : standsFor[i], first, eligible?.[i])
          for (let a = 0; a < actions; a++) if (pi[a] > maxProbability[first + a]) maxProbability[first + a] = pi[a]
          if (propensities !== undefined) updateRatio(sums, pi, propensities, i, actions)
          weighRow(marginals, i, pi)
          if (model === undefined) return pi
          if ('q' in model) {
            value[i] = dot(pi, model.q, first, actions)
            predicted[i] = model.q[first + action[i]]
          } else {
            value[i] = dotColumns(pi, model.columns, i)
            predicted[i] = model.columns[action[i]][i]
          }
          return pi
        },
        close() {
          addRows(sums, series, log, { ...own, marginal }, facts.groups, model !== undefined)
          closeMarginals(marginals, facts)
          if (model !== undefined && 'q' in model) addValues(sums, log, facts, value, actions)
        },
        value,
      }
    },
  }
}

/** The columns of a chunk that marginal weights are written to, by their keys. */
function openMarginals(
  marginals: readonly MarginalRun[],
  log: DecisionLog,
  { eligible, propensities, groupsOfActions = [] }: ChunkFacts,
): ReadonlyMap<string, Float64Array> {
  return new Map(
    marginals.map((run, m) => {
      if (eligible === undefined || propensities === undefined) throw new RangeError('propensities are not known')
      return [run.key, run.open(log, { eligible, propensities, groupsAt: groupsOfActions[m] })]
    }),
  )
}

function closeMarginals(marginals: readonly MarginalRun[], { groups }: ChunkFacts): void {
  for (const run of marginals) run.close(groups)
}

function weighAll(marginals: readonly MarginalRun[], rows: number, piAt: (i: number) => Float64Array): void {
  if (marginals.length > 0) for (let i = 0; i < rows; i++) weighRow(marginals, i, piAt(i))
}

function weighRow(marginals: readonly MarginalRun[], i: number, pi: Float64Array): void {
  for (let m = 0; m < marginals.length; m++) marginals[m].weigh(i, pi)
}

/** Adds what the candidate gives to actions that could be taken, and what it does not give to any of them. */
function addMass(
  sums: CandidateSums,
  pi: Float64Array,
  h: number,
  first: number,
  eligible: Int32Array | undefined,
): void {
  const { mass } = sums
  let outside = 1
  if (eligible === undefined) {
    for (let a = 0; a < pi.length; a++) {
      mass[first + a] += h * pi[a]
      outside -= pi[a]
    }
  } else {
    for (let j = 0; j < eligible.length; j++) {
      const p = pi[eligible[j]]
      mass[first + eligible[j]] += h * p
      outside -= p
    }
  }
  if (outside > SUM_TOLERANCE) sums.ineligible += h * outside
  if (outside === 1 && pi.every(p => p === 0)) sums.idle += h
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

/** Columns that grow to the longest chunk. */
function candidateColumns(): (log: DecisionLog) => CandidateColumns {
  let buffers = allocate(0)
  return ({ rows, reward }) => {
    if (buffers.weight.length < rows) buffers = allocate(rows)
    return { ...buffers, rows, reward }
  }
}

function allocate(rows: number): Omit<CandidateColumns, 'rows' | 'reward'> {
  const column = () => new Float64Array(rows)
  return { weight: column(), probability: column(), value: column(), predicted: column(), scratch: column() }
}
