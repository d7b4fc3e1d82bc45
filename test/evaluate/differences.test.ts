import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ESTIMATORS } from '../../src/evaluate/estimators/estimators.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import { LIST_ESTIMATORS } from '../../src/evaluate/lists/estimators/list-estimators.ts'
import { createPairs } from '../../src/evaluate/weights/pairs.ts'
import type { EvaluationSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import type { EvaluationResult } from '../../src/results.ts'
import { distributions, draw } from './support/chances.ts'
import { ACTIONS, CONTEXTS, cascade, type Liking, listLog, listPolicy, pbm, worthOf } from './support/list-world.ts'
import { memoryTables } from './support/memory-tables.ts'
import { plan } from './support/plan.ts'

describe('how far candidates can be from each other', () => {
  it('is the largest difference of their weights at any place, as counted by hand', () => {
    const weights = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(
        fc.array(fc.array(weights, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 10 }),
        rows => {
          const pairs = createPairs(3, 1)
          for (const row of rows) {
            const given = row.map(each => Float64Array.from(each))
            pairs.compare(0, given, 0, 4)
            pairs.compareValues(given, 4)
          }
          for (const [a, b] of [0, 1, 2].flatMap(a => [0, 1, 2].filter(b => b !== a).map(b => [a, b]))) {
            const differences = rows.flatMap(row => row[a].map((w, at) => w - row[b][at]))
            expect(pairs.gap(0, a, b)).toBe(Math.max(0, ...differences))
            expect(pairs.values(a, b)).toEqual({ lower: Math.min(...differences), upper: Math.max(...differences) })
          }
        },
      ),
    )
  })
})

const MODEL = { type: 'tabular', by: ['action'], prior: 10, crossFit: { folds: 2, by: 'row' } } as const
const [CONTEXT_COUNT, ACTION_COUNT] = [10, 8]

interface World {
  readonly mean: readonly (readonly number[])[]
  readonly logging: readonly (readonly number[])[]
  readonly policies: Readonly<Record<string, readonly (readonly number[])[]>>
}

/** `near` is a tenth of the way from `one` to `other`. */
function world(): World {
  const rng = stream(5, 'differences')
  const [logging, one, other] = [1, 1.5, 1.5].map(spread => distributions(rng, spread, CONTEXT_COUNT, ACTION_COUNT))
  const near = one.map((row, x) => row.map((p, a) => 0.9 * p + 0.1 * other[x][a]))
  const mean = logging.map(row => row.map(() => 0.1 + 0.4 * rng.uniform()))
  return { mean, logging, policies: { one, twin: one, near } }
}

const TRUTH = world()
const worth = (policy: World['mean']) =>
  policy.reduce((sum, row, x) => sum + row.reduce((s, p, a) => s + p * TRUTH.mean[x][a], 0), 0) / CONTEXT_COUNT

async function judge(rows: number, seed: number, all: boolean, spec: Partial<EvaluationSpec> = {}) {
  const rng = stream(seed, 'log for differences')
  const ids = Array.from({ length: ACTION_COUNT }, (_, a) => String(a))
  const drawn = Array.from({ length: rows }, () => {
    const x = Math.floor(rng.uniform() * CONTEXT_COUNT)
    const action = draw(rng, TRUTH.logging[x])
    return { x, action, reward: rng.uniform() < TRUTH.mean[x][action] ? 1 : 0 }
  })
  const names = Object.keys(TRUTH.policies)
  const memory = {
    action: drawn.map(({ action }) => String(action)),
    propensity: drawn.map(({ x, action }) => TRUTH.logging[x][action]),
    all: drawn.map(({ x }) => JSON.stringify(TRUTH.logging[x])),
    eligible: drawn.map(() => JSON.stringify(ids)),
    reward: drawn.map(({ reward }) => reward),
    ...Object.fromEntries(
      names.map(name => [name, drawn.map(({ x }) => JSON.stringify(TRUTH.policies[name][x]))] as const),
    ),
  }
  return evaluate(
    plan({
      dataset: { actions: ids, reward: { minimum: 0, maximum: 1 } },
      mapping: { eligible: 'eligible', ...(all ? { propensities: 'all' } : {}) },
      policyActions: ids.map(id => ({ id, features: { genre: Number(id) % 3 } })),
      spec: {
        candidates: [
          ...names.map(name => ({ name, probabilities: { list: name } })),
          { name: 'logging', logging: true },
        ],
        estimators: ['ips', 'dr'],
        rewardModel: MODEL,
        interval: { method: 'cressie-read', level: 0.95 },
        ...spec,
      },
    }),
    memoryTables({ memory }),
  )
}

const differenceOf = ({ differences }: EvaluationResult, candidate: string, baseline: string) => {
  const found = differences.find(each => each.candidate === candidate && each.baseline === baseline)
  if (found === undefined) throw new Error(`nobody compared ${candidate} with ${baseline}`)
  return found.estimates
}

const NONE = { value: 0, standardError: 0, interval: { lower: 0, upper: 0 }, simultaneous: { lower: 0, upper: 0 } }

describe('of two candidates that decide alike', () => {
  it.each([true, false])('the difference is nothing, for certain; every propensity is known: %s', async all => {
    const estimators = ESTIMATORS.filter(({ type, by }) => type !== 'replay' && (all || by !== true))
    const specs = estimators.map(({ type, by }) => (by === true ? { type, by: ['genre'] } : type))
    for (const estimate of differenceOf(await judge(400, 1, all, { estimators: specs }), 'twin', 'one')) {
      expect(estimate).toMatchObject(NONE)
    }
  })
})

const LOGS = 200
const SLACK = 2 * Math.sqrt((0.06 * 0.94) / LOGS)

describe(`of two candidates that are near each other, over ${LOGS} logs`, () => {
  it.each([true, false])('intervals of differences cover, and are narrow; every propensity is known: %s', async all => {
    const truth = worth(TRUTH.policies['near']) - worth(TRUTH.policies['one'])
    const found = { ips: { covered: 0, width: 0 }, dr: { covered: 0, width: 0 } }
    const alone = { ips: 0, dr: 0 }
    for (let seed = 0; seed < LOGS; seed++) {
      const result = await judge(500, seed, all)
      for (const { estimator, interval } of differenceOf(result, 'near', 'one')) {
        const of = found[estimator as 'ips' | 'dr']
        if (interval === null) continue
        if (interval.lower <= truth && truth <= interval.upper) of.covered += 1 / LOGS
        of.width += (interval.upper - interval.lower) / LOGS
      }
      for (const { estimator, interval } of result.candidates[0].estimates) {
        if (interval !== null) alone[estimator as 'ips' | 'dr'] += (interval.upper - interval.lower) / LOGS
      }
    }
    for (const estimator of ['ips', 'dr'] as const) {
      expect(found[estimator].covered).toBeGreaterThan(0.94 - SLACK)
      expect(found[estimator].width).toBeLessThan(0.3 * alone[estimator])
    }
  })
})

describe('of lists', () => {
  const rng = stream(8, 'differences of lists')
  const grid = (low: number, high: number): Liking =>
    CONTEXTS.map(() => Array.from({ length: ACTIONS }, () => low + (high - low) * rng.uniform()))
  const q = grid(0.05, 0.5)
  const [logging, one, near] = [grid(0, 0.4), q, q.map(row => row.map(each => each + 0.03 * rng.uniform()))].map(
    (liking, i) => listPolicy(['logging', 'one', 'near'][i], liking),
  )
  const twin = listPolicy('twin', q)

  const compared = async (
    clicks: ReturnType<typeof pbm>,
    lists: number,
    seed: number,
    estimators: EvaluationSpec['estimators'],
  ) =>
    evaluate(
      plan({
        dataset: { format: 'dap', mapping: undefined },
        spec: {
          candidates: ['one', 'twin', 'near'].map(name => ({ name, policy: name })),
          estimators,
          rewardModel: { type: 'tabular', by: ['action', 'slot'], prior: 10, crossFit: { folds: 2, by: 'row' } },
          interval: { method: 'cressie-read', level: 0.95 },
        },
        policies: new Map(Object.entries({ one, twin, near })),
      }),
      memoryTables({ memory: listLog(logging, clicks, lists, stream(seed, 'log of lists')) }),
    )

  it('those of policies that decide alike are nothing, for certain', async () => {
    const all = LIST_ESTIMATORS.map(({ type }) => type) as EvaluationSpec['estimators']
    for (const clicks of [pbm(q), cascade(q)]) {
      for (const estimate of differenceOf(await compared(clicks, 400, 1, all), 'twin', 'one')) {
        expect(estimate).toMatchObject(NONE)
      }
    }
  })

  it('those of policies that are near each other cover, and are narrow', async () => {
    const clicks = pbm(q)
    const truth = worthOf(near, clicks) - worthOf(one, clicks)
    const logs = 100
    const found = new Map<string, { covered: number; width: number; alone: number }>()
    for (let seed = 0; seed < logs; seed++) {
      const result = await compared(clicks, 300, seed, ['sips', 'rips', 'iips', 'cascade-dr'])
      for (const [i, { estimator, interval }] of differenceOf(result, 'near', 'one').entries()) {
        const of = found.get(estimator) ?? { covered: 0, width: 0, alone: 0 }
        const own = result.candidates[0].estimates[i].interval
        if (interval === null || own === null) throw new Error('no interval')
        if (interval.lower <= truth && truth <= interval.upper) of.covered += 1 / logs
        of.width += (interval.upper - interval.lower) / logs
        of.alone += (own.upper - own.lower) / logs
        found.set(estimator, of)
      }
    }
    for (const [estimator, { covered, width, alone }] of found) {
      expect(covered, estimator).toBeGreaterThan(0.94 - 2 * Math.sqrt((0.06 * 0.94) / logs))
      expect(width, estimator).toBeLessThan(0.5 * alone)
    }
  })
})
