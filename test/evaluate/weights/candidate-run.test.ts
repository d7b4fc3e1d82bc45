import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Candidate } from '../../../src/evaluate/candidates/candidate.ts'
import { addChunk, createCandidateRun } from '../../../src/evaluate/weights/candidate-run.ts'
import { createGroups } from '../../../src/evaluate/weights/groups.ts'
import { addLog, createLogSums } from '../../../src/evaluate/weights/log-sums.ts'
import { candidateSeries } from '../../../src/evaluate/weights/sums.ts'
import type { DecisionLog } from '../../../src/log/rows/decision-log.ts'
import type { KeyColumn } from '../../../src/log/tables.ts'

const [ACTIONS, CELLS, STRATA] = [3, 4, 2]
const ALL = Array.from({ length: ACTIONS }, (_, a) => a)

const row = fc.record({
  cell: fc.nat(CELLS - 1),
  stratum: fc.nat(STRATA - 1),
  action: fc.nat(ACTIONS - 1),
  propensity: fc.double({ min: 0.01, max: 1, noNaN: true }),
  h: fc.integer({ min: 1, max: 4 }),
  /** The propensity of every action, if it could be taken. */
  others: fc.array(fc.option(fc.double({ min: 0.01, max: 1, noNaN: true }), { nil: 0 }), {
    minLength: ACTIONS,
    maxLength: ACTIONS,
  }),
})
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never
const vector = fc
  .array(fc.integer({ min: 0, max: 5 }), { minLength: ACTIONS, maxLength: ACTIONS })
  .filter(weights => weights.some(weight => weight > 0))
  .map(weights => weights.map(weight => weight / weights.reduce((a, b) => a + b, 0)))
const setup = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 80 }),
  chunk: fc.integer({ min: 1, max: 40 }),
  weighted: fc.boolean(),
  known: fc.constantFrom('taken', 'eligible', 'every'),
  q: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: STRATA * ACTIONS, maxLength: STRATA * ACTIONS }),
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
    fc.property(setup, ({ rows, chunk, weighted, known, q, cells }) => {
      const propensitiesOf = ({ others, action, propensity }: Row) => others.with(action, propensity)
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
          addChunk(run, decisions, kind === 'one cell' ? [] : [keys], {
            ...{ groups, stratum, strata: STRATA, model: { q: Float64Array.from(q) } },
            eligible:
              known === 'taken'
                ? undefined
                : part.map(each => Int32Array.from(ALL.filter(a => propensitiesOf(each)[a] > 0))),
            propensities: known === 'every' ? Float64Array.from(part.flatMap(propensitiesOf)) : undefined,
          })
        }
        const sums = run.sums(log)
        const piOf = ({ cell }: Row) => cells[kind === 'one cell' ? 0 : cell]
        const hOf = ({ h }: Row) => (weighted ? h : 1)
        const could = (each: Row, a: number) => known === 'taken' || propensitiesOf(each)[a] > 0
        const sum = (some: typeof rows, of: (each: Row) => number) => some.reduce((total, each) => total + of(each), 0)
        for (let s = 0; s < STRATA; s++) {
          const inStratum = rows.filter(({ stratum }) => stratum === s)
          const vOf = (each: Row) => ALL.reduce((total, a) => total + piOf(each)[a] * q[s * ACTIONS + a], 0)
          for (const a of ALL) {
            const at = s * ACTIONS + a
            const mass = sum(
              inStratum.filter(each => could(each, a)),
              each => hOf(each) * piOf(each)[a],
            )
            expect(sums.mass[at]).toBeCloseTo(mass, 10)
            // Where its cell is known to have taken the action, `maxRatio` has what there is to know.
            const untried = inStratum.filter(
              each =>
                kind === 'rows' ||
                !rows.some(({ cell, action }) => action === a && (kind === 'one cell' || cell === each.cell)),
            )
            expect(sums.maxProbability[at]).toBe(Math.max(0, ...untried.map(each => piOf(each)[a])))
            const took = inStratum.filter(({ action }) => action === a)
            const value = sum(took, each => hOf(each) * hOf(each) * vOf(each))
            const squared = sum(took, each => hOf(each) * hOf(each) * vOf(each) * vOf(each))
            expect(sums.value[at]).toBeCloseTo(value, 8)
            expect(sums.valueSquared[at]).toBeCloseTo(squared, 8)
          }
        }
        const outside = (each: Row) => ALL.filter(a => !could(each, a)).map(a => piOf(each)[a])
        const ineligible = sum(rows, each => hOf(each) * outside(each).reduce((total, p) => total + p, 0))
        expect(sums.ineligible).toBeCloseTo(ineligible, 10)
        expect(sums.idle).toBeCloseTo(
          sum(
            rows.filter(each => ALL.every(a => piOf(each)[a] === 0)),
            hOf,
          ),
          10,
        )
        // By rows, only a log that has every propensity says how large a weight could be.
        const ratios = rows.flatMap(each => {
          const p = propensitiesOf(each)
          const told = known === 'every' ? ALL.filter(a => p[a] > 0) : kind === 'rows' ? [] : [each.action]
          return told.map(a => piOf(each)[a] / p[a])
        })
        expect(sums.maxRatio).toBeCloseTo(Math.max(0, ...ratios), 10)
      }
    }),
  )
})
