import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createCandidateRun } from '../../src/evaluate/candidate-run.ts'
import type { Candidate } from '../../src/evaluate/candidates/candidate.ts'
import { createGroups } from '../../src/evaluate/groups.ts'
import { addLog, createLogSums } from '../../src/evaluate/log-sums.ts'
import { candidateSeries } from '../../src/evaluate/sums.ts'
import type { DecisionLog } from '../../src/log/decision-log.ts'
import type { KeyColumn } from '../../src/log/tables.ts'

const [ACTIONS, CELLS, STRATA] = [3, 4, 2]

const row = fc.record({
  cell: fc.nat(CELLS - 1),
  stratum: fc.nat(STRATA - 1),
  action: fc.nat(ACTIONS - 1),
  propensity: fc.double({ min: 0.01, max: 1, noNaN: true }),
  h: fc.integer({ min: 1, max: 4 }),
})
const vector = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: ACTIONS, maxLength: ACTIONS })
  .filter(weights => weights.some(weight => weight > 0))
  .map(weights => weights.map(weight => weight / weights.reduce((a, b) => a + b, 0)))
const setup = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 80 }),
  chunk: fc.integer({ min: 1, max: 40 }),
  weighted: fc.boolean(),
  cells: fc.array(vector, { minLength: CELLS, maxLength: CELLS }),
})

/** By cells, by one cell that is the whole log, and by rows. */
const candidates = (cells: readonly (readonly number[])[]): readonly (readonly [string, Candidate])[] => [
  ['cells', { kind: 'cells', keys: ['x'], distribution: ([x]) => Float64Array.from(cells[Number(x)]) }],
  ['one cell', { kind: 'cells', keys: [], distribution: () => Float64Array.from(cells[0]) }],
  [
    'rows',
    {
      kind: 'rows',
      columns: [{ column: 'x', type: 'key' }],
      bind: ([x]) => {
        const { codes } = x as KeyColumn
        return (i, out) => out.set(cells[codes[i]])
      },
    },
  ],
]

it('what a candidate gives to whom, and the largest weight that it could have, are those of a count by hand', () => {
  fc.assert(
    fc.property(setup, ({ rows, chunk, weighted, cells }) => {
      for (const [kind, candidate] of candidates(cells)) {
        const run = createCandidateRun(candidate, ACTIONS, candidateSeries([]))
        const log = createLogSums(ACTIONS)
        const groupsOf = createGroups()
        for (let from = 0; from < rows.length; from += chunk) {
          const part = rows.slice(from, from + chunk)
          const decisions: DecisionLog = {
            rows: part.length,
            row: Float64Array.from(part, (_, i) => from + i),
            action: Int32Array.from(part, ({ action }) => action),
            propensity: Float64Array.from(part, ({ propensity }) => propensity),
            reward: new Float64Array(part.length),
            standsFor: weighted ? Float64Array.from(part, ({ h }) => h) : undefined,
            columns: [],
          }
          const groups = groupsOf(decisions, undefined)
          const stratum = Int32Array.from(part, each => each.stratum)
          const keys: KeyColumn = {
            type: 'key',
            codes: Int32Array.from(part, ({ cell }) => cell),
            dictionary: ['0', '1', '2', '3'],
          }
          addLog(log, decisions, groups, stratum, STRATA)
          run.add(decisions, kind === 'one cell' ? [] : [keys], {
            ...{ groups, stratum, strata: STRATA, model: undefined, eligible: undefined, propensities: undefined },
          })
        }
        const sums = run.sums(log)
        const cellOf = ({ cell }: (typeof rows)[number]) => (kind === 'one cell' ? 0 : cell)
        for (let s = 0; s < STRATA; s++) {
          for (let a = 0; a < ACTIONS; a++) {
            const mass = rows
              .filter(({ stratum }) => stratum === s)
              .reduce((sum, each) => sum + (weighted ? each.h : 1) * cells[cellOf(each)][a], 0)
            expect(sums.mass[s * ACTIONS + a]).toBeCloseTo(mass, 10)
            // Where its cell is known to have taken the action, `maxRatio` has what there is to know.
            const untried = rows.filter(
              each => kind === 'rows' || !rows.some(other => cellOf(other) === cellOf(each) && other.action === a),
            )
            const largest = untried.filter(({ stratum }) => stratum === s).map(each => cells[cellOf(each)][a])
            expect(sums.maxProbability[s * ACTIONS + a]).toBe(Math.max(0, ...largest))
          }
        }
        if (kind === 'rows') continue
        const ratios = rows.map(each => cells[cellOf(each)][each.action] / each.propensity)
        expect(sums.maxRatio).toBe(Math.max(...ratios))
      }
    }),
  )
})
