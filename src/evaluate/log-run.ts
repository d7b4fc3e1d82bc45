import { groupedDigits } from '../grouped.ts'
import type { DecisionLog } from '../log/rows/decision-log.ts'
import { eligibleSet } from '../log/rows/eligible.ts'
import type { LogColumns } from '../log/rows/layout.ts'
import type { Requests } from '../log/rows/row-reader.ts'
import type { GroupColumn, NumberColumn, ValueColumn } from '../log/tables.ts'
import type { ActionSpace } from './candidates/candidate.ts'
import { emptyByChance, testPropensities } from './verdicts/propensity-test.ts'
import type { CoverageInput } from './verdicts/support.ts'
import type { Judgement } from './verdicts/verdict.ts'
import type { ChunkFacts } from './weights/candidate-run.ts'
import { type ChunkGroups, createGroups } from './weights/groups.ts'
import { addLog, createLogSums, type LogSums } from './weights/log-sums.ts'
import { loggedPropensities } from './weights/logged-propensities.ts'
import { addPropensities, createPropensitySums } from './weights/propensity-sums.ts'
import type { Strata } from './weights/strata.ts'
import { createUnitCounter, measureUnits, type Units } from './weights/units.ts'

/** What a log says by itself, whoever is judged on it: its rewards, its units, its propensities. */
export interface LogRun {
  readonly sums: LogSums
  /** It has the propensity of every action. */
  readonly everyPropensity: boolean
  groupsOf(chunk: DecisionLog): ChunkGroups
  /** Adds a chunk; once, however often the log is read. */
  add(chunk: DecisionLog, groups: ChunkGroups, stratum: Int32Array): void
  /** What rows say of all actions. */
  factsOf(chunk: DecisionLog): Pick<ChunkFacts, 'eligible' | 'propensities'>
  /** After the last chunk. */
  finish(): {
    readonly units: Units
    /** Of its propensities. */
    readonly judgement: Judgement
    readonly emptyByChance: CoverageInput['emptyByChance']
    readonly notes: readonly string[]
  }
}

/** `requests`: where it asks for the columns that it needs. */
export function createLogRun(columns: LogColumns, space: ActionSpace, strata: Strata, requests: Requests): LogRun {
  const actions = space.ids.length
  const weighted = columns.propensity !== undefined
  const everyPropensity = columns.propensities !== undefined
  const listAt = columns.propensities && requests.add(columns.propensities)
  const setAt = space.eligible || everyPropensity ? requests.add(eligibleSet) : undefined
  const timeAt =
    columns.ts === undefined || !weighted
      ? undefined
      : requests.add({ column: columns.ts, type: 'time', optional: true })
  const unitAt =
    columns.unit === undefined ? undefined : requests.add({ column: columns.unit, type: 'bucket', optional: true })
  const sums = createLogSums(actions)
  const known = everyPropensity ? 'every' : space.eligible ? 'eligible' : 'taken'
  const chances = createPropensitySums(actions, known, timeAt === undefined ? 'row' : 'time')
  const groupsOf = createGroups()
  const clock = createClock()
  const counter = createUnitCounter()
  let unitless = 0

  const unitsOf = (chunk: DecisionLog) => (unitAt === undefined ? undefined : (chunk.columns[unitAt] as GroupColumn))
  const valuesAt = <T>(chunk: DecisionLog, place: number | undefined) =>
    place === undefined ? undefined : ((chunk.columns[place] as ValueColumn).values as readonly T[])

  return {
    sums,
    everyPropensity,
    groupsOf: chunk => groupsOf(chunk, unitsOf(chunk)),
    add(chunk, groups, stratum) {
      const { rows } = chunk
      addLog(sums, chunk, groups, stratum, strata.count())
      const units = unitsOf(chunk)?.values
      if (units !== undefined) unitless += counter.add(units, rows)
      if (!weighted) return
      const time = timeAt === undefined ? undefined : clock((chunk.columns[timeAt] as NumberColumn).values, rows)
      for (const [from, to] of testedRuns(chunk)) {
        addPropensities(chances, {
          rows: to - from,
          row: chunk.row.subarray(from, to),
          action: chunk.action.subarray(from, to),
          propensity: chunk.propensity.subarray(from, to),
          standsFor: chunk.standsFor?.subarray(from, to),
          group: groups.unit.of.subarray(from, to),
          slot: strata.slotted ? Int32Array.from(stratum.subarray(from, to), strata.slotOf) : undefined,
          time: time?.subarray(from, to),
          eligible: valuesAt<Int32Array>(chunk, setAt)?.slice(from, to),
          propensities: valuesAt<Float64Array>(chunk, listAt)?.slice(from, to),
        })
      }
    },
    factsOf(chunk) {
      const eligible = valuesAt<Int32Array>(chunk, setAt)
      const lists = valuesAt<Float64Array>(chunk, listAt)
      return { eligible, propensities: eligible && lists && loggedPropensities(chunk, lists, eligible, actions) }
    },
    finish() {
      const units = measureUnits(
        sums,
        unitAt !== undefined && unitless < sums.rows ? counter.count() + unitless : undefined,
      )
      const tested = testPropensities(chances, { actions: space.ids, slot: slot => strata.slots[slot] })
      return {
        units,
        judgement: tested,
        emptyByChance: emptyByChance(chances),
        notes: [
          ...(units.known && unitless > 0 ? [unitlessNote(unitless)] : []),
          ...(units.known ? [] : ['the log has no units: rows are taken for independent of each other']),
          ...(weighted && tested.untested !== undefined ? [tested.untested] : []),
        ],
      }
    },
  }
}

const unitlessNote = (rows: number): string =>
  rows === 1
    ? '1 row has no unit: it is taken for one of its own'
    : `${groupedDigits(rows)} rows have no unit: each is taken for one of its own`

/** So many rows of a log have their propensities tested, and then blocks of so many, one in so many: enough, whatever the log. */
const TESTED = { all: 1 << 20, block: 1 << 13, oneIn: 8 } as const

/** The runs of a chunk's rows that are tested, [from, to), by their numbers in the log, so that chunks do not matter. */
export function* testedRuns({ rows, row }: Pick<DecisionLog, 'rows' | 'row'>): Generator<readonly [number, number]> {
  if (row[rows - 1] < TESTED.all) {
    yield [0, rows]
    return
  }
  for (let from = 0; from < rows; ) {
    const block = Math.floor(row[from] / TESTED.block)
    const next = (block + 1) * TESTED.block
    let to = row[rows - 1] < next ? rows : from + 1
    while (to < rows && row[to] < next) to++
    if (row[from] < TESTED.all || block % TESTED.oneIn === 0) yield [from, to]
    from = to
  }
}

/** Times of rows; a row without one is as late as the row before it. */
function createClock(): (times: Float64Array, rows: number) => Float64Array {
  let last = 0
  return (times, rows) => {
    const out = new Float64Array(rows)
    for (let i = 0; i < rows; i++) {
      if (Number.isFinite(times[i])) last = times[i]
      out[i] = last
    }
    return out
  }
}
