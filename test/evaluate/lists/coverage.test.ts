import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/evaluate/evaluate.ts'
import { LIST_ESTIMATORS } from '../../../src/evaluate/lists/estimators/list-estimators.ts'
import type { EvaluationSpec } from '../../../src/kinds.ts'
import { stream } from '../../../src/math/rng.ts'
import {
  ACTIONS,
  type Attraction,
  type Clicks,
  CONTEXTS,
  cascade,
  listLog,
  listPolicy,
  listWise,
  pbm,
  worthOf,
} from '../support/list-world.ts'
import { memoryTables } from '../support/memory-tables.ts'
import { plan } from '../support/plan.ts'

const LOGS = 150
const LISTS = 500
/** Coverage may fall short of .93 by two standard errors of a share of so many logs. */
const SLACK = 2 * Math.sqrt((0.07 * 0.93) / LOGS)

const ESTIMATORS = LIST_ESTIMATORS.map(({ type }) => type) as EvaluationSpec['estimators']

/** Estimators whose assumption does not hold in a world: by how much they are off there, at least and at most. */
interface Case {
  readonly name: string
  readonly clicks: (q: Attraction) => Clicks
  readonly off: Readonly<Record<string, readonly [least: number, most: number]>>
}

const CASES: readonly Case[] = [
  { name: 'position-based', clicks: pbm, off: {} },
  { name: 'cascade', clicks: cascade, off: { iips: [0.01, 0.1], sniips: [0.01, 0.1] } },
  {
    name: 'list-wise',
    clicks: listWise,
    off: {
      rips: [0.01, 0.2],
      snrips: [0.01, 0.2],
      'cascade-dr': [0.01, 0.2],
      iips: [0.01, 0.2],
      sniips: [0.01, 0.2],
      pi: [0.005, 0.1],
    },
  },
]

async function measure({ name, clicks: clicksOf }: Case) {
  const rng = stream(29, 'lists', name)
  const grid = (low: number, high: number): Attraction =>
    CONTEXTS.map(() => Array.from({ length: ACTIONS }, () => low + (high - low) * rng.uniform()))
  const q = grid(0.05, 0.5)
  const clicks = clicksOf(q)
  const logging = listPolicy('logging', grid(0, 0.4))
  const candidate = listPolicy('new', q)
  const target = worthOf(candidate, clicks)
  const lift = target - worthOf(logging, clicks)
  const found = new Map<string, { values: number[]; covered: number; lift: number }>()
  for (let seed = 0; seed < LOGS; seed++) {
    const result = await evaluate(
      plan({
        dataset: { format: 'dap', mapping: undefined },
        spec: {
          candidates: [{ name: 'new', policy: 'new' }],
          estimators: ESTIMATORS,
          rewardModel: { type: 'tabular', by: ['action', 'slot'], prior: 10, crossFit: { folds: 2, by: 'row' } },
          interval: { method: 'cressie-read', level: 0.95 },
        },
        policies: new Map([['new', candidate]]),
      }),
      memoryTables({ memory: listLog(logging, clicks, LISTS, stream(seed, 'log of lists', name)) }),
    )
    for (const { estimator, value, interval, lift: paired } of result.candidates[0].estimates) {
      const known = found.get(estimator) ?? { values: [], covered: 0, lift: 0 }
      known.values.push(value ?? Number.NaN)
      if (interval !== null && interval.lower <= target && target <= interval.upper) known.covered += 1 / LOGS
      if (paired !== null && paired.lower <= lift && lift <= paired.upper) known.lift += 1 / LOGS
      found.set(estimator, known)
    }
  }
  return { found, target }
}

describe(`95 % intervals over ${LOGS} logs of ${LISTS} lists`, () => {
  for (const each of CASES) {
    it(`cover in the ${each.name} world where an assumption holds, and are off where it does not`, async () => {
      const { found, target } = await measure(each)
      const rows = [...found].map(([estimator, { values, covered, lift }]) => {
        const mean = values.reduce((sum, x) => sum + x, 0) / LOGS
        const error = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (LOGS - 1) / LOGS)
        return { estimator, bias: mean - target, error, covered, lift }
      })
      const table = rows
        .map(
          ({ estimator, bias, error, covered, lift }) =>
            `${estimator.padEnd(12)} bias ${bias.toFixed(4)} ± ${error.toFixed(4)} covers ${covered.toFixed(3)} lift ${lift.toFixed(3)}`,
        )
        .join('\n')
      console.log(`${each.name} (${target.toFixed(4)})\n${table}`)
      for (const { estimator, bias, error, covered, lift } of rows) {
        const off = each.off[estimator]
        if (off === undefined) {
          expect(Math.abs(bias), table).toBeLessThan(4 * error)
          expect(covered, table).toBeGreaterThan(0.93 - SLACK)
          expect(lift, table).toBeGreaterThan(0.93 - SLACK)
        } else {
          expect(Math.abs(bias), table).toBeGreaterThan(off[0])
          expect(Math.abs(bias), table).toBeLessThan(off[1])
        }
      }
    })
  }
})
