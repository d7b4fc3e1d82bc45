import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { EvaluationSpec } from '../../src/kinds.ts'
import type { Rng } from '../../src/math/rng.ts'
import { stream } from '../../src/math/rng.ts'
import { distributions, draw } from './support/chances.ts'
import { memoryTables } from './support/memory-tables.ts'
import { plan } from './support/plan.ts'

/** A decision: its logging and its candidate's probabilities, by action. */
interface Row {
  readonly action: number
  readonly reward: number
  readonly logging: readonly number[]
  readonly candidate: readonly number[]
}

const MIPS = { type: 'mips', by: ['genre'] } as const

/** `genres`: by action; undefined of one that nobody knows. */
function judge(rows: readonly Row[], genres: readonly (string | undefined)[], spec: Partial<EvaluationSpec> = {}) {
  const ids = genres.map((_, a) => `a${a}`)
  const memory = {
    action: rows.map(({ action }) => ids[action]),
    propensity: rows.map(({ action, logging }) => logging[action]),
    propensities: rows.map(({ logging }) => JSON.stringify(logging)),
    pi: rows.map(({ candidate }) => JSON.stringify(candidate)),
    eligible: rows.map(() => JSON.stringify(ids)),
    reward: rows.map(({ reward }) => reward),
  }
  return evaluate(
    plan({
      dataset: { actions: ids, reward: { minimum: 0, maximum: 1 } },
      mapping: { propensities: 'propensities', eligible: 'eligible' },
      policyActions: ids.map((id, a) => ({
        id,
        ...(genres[a] === undefined ? {} : { features: { genre: genres[a] } }),
      })),
      spec: {
        candidates: [{ name: 'new', probabilities: { list: 'pi' } }],
        estimators: [MIPS],
        interval: { method: 'cressie-read', level: 0.95 },
        ...spec,
      },
    }),
    memoryTables({ memory }),
  )
}

const estimatesOf = ({ candidates: [{ estimates }] }: Awaited<ReturnType<typeof judge>>) => estimates

describe('mips', () => {
  it('weighs a row by what the values of the features are likely to be, by hand', async () => {
    const logging = [0.1, 0.3, 0.4, 0.2]
    const candidate = [0.3, 0.1, 0.1, 0.5]
    const row = (action: number, reward: number): Row => ({ action, reward, logging, candidate })
    // Puzzles: (0.3 + 0.1) / (0.1 + 0.3) = 1; cards 0.1 / 0.4 = 0.25; the last is known to nobody, and alone: 0.5 / 0.2 = 2.5.
    const genres = ['puzzle', 'puzzle', 'card', undefined]
    const [estimate] = estimatesOf(await judge([row(0, 1), row(1, 0.5), row(2, 1), row(3, 0.2)], genres))
    expect(estimate.value).toBeCloseTo((1 * 1 + 1 * 0.5 + 0.25 * 1 + 2.5 * 0.2) / 4, 12)
    expect(estimate.support).toMatchObject({
      meanWeight: expect.closeTo(4.75 / 4, 12),
      maxWeight: expect.closeTo(2.5, 12),
      effectiveSampleSize: expect.closeTo(4.75 ** 2 / (1 + 1 + 0.0625 + 6.25), 12),
      unsupportedMass: 0,
    })
  })

  it('does not hold actions that were not eligible against a row', async () => {
    const ids = ['a0', 'a1', 'a2']
    const memory = {
      action: ['a0', 'a1'],
      propensity: [0.25, 1],
      propensities: ['[0.25,0.75]', '[1]'],
      pi: ['[0.5,0.5]', '[1]'],
      eligible: ['["a0","a2"]', '["a1"]'],
      reward: [1, 1],
    }
    const result = await evaluate(
      plan({
        dataset: { actions: ids },
        mapping: { propensities: 'propensities', eligible: 'eligible' },
        policyActions: ids.map((id, a) => ({ id, features: { genre: a < 2 ? 'puzzle' : 'card' } })),
        spec: { candidates: [{ name: 'new', probabilities: { list: 'pi' } }], estimators: [MIPS] },
      }),
      memoryTables({ memory }),
    )
    expect(estimatesOf(result)[0].value).toBeCloseTo((2 + 1) / 2, 12)
  })

  const vector = fc
    .array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 4 })
    .map(weights => weights.map(weight => weight / weights.reduce((a, b) => a + b, 0)))
  const row = fc.record({
    action: fc.nat(3),
    reward: fc.nat(4).map(quarters => quarters / 4),
    logging: vector,
    candidate: vector,
  })

  it('is ips where every action is like no other, and the mean reward where all are alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 30 }), async rows => {
        const spec = { estimators: ['ips', MIPS] } as const
        const [ips, mips] = estimatesOf(await judge(rows, ['a', 'b', 'c', undefined], spec))
        for (const of of [ips, mips]) expect(of.value).toBeCloseTo(ips.value as number, 10)
        expect(mips.interval?.lower).toBeCloseTo(ips.interval?.lower as number, 8)
        expect(mips.interval?.upper).toBeCloseTo(ips.interval?.upper as number, 8)
        const [alike] = estimatesOf(await judge(rows, ['a', 'a', 'a', 'a']))
        expect(alike.value).toBeCloseTo(mean(rows.map(({ reward }) => reward)), 10)
        expect(alike.lift?.upper).toBeCloseTo(0, 8)
        expect(alike.lift?.lower).toBeCloseTo(0, 8)
      }),
      { numRuns: 50 },
    )
  })

  it('has weights that are never larger than those of ips', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 2, maxLength: 30 }), async rows => {
        const { candidates } = await judge(rows, ['a', 'a', 'b', 'b'], { estimators: ['ips', MIPS] })
        const bound = Math.max(...rows.flatMap(({ logging, candidate }) => candidate.map((pi, a) => pi / logging[a])))
        expect(candidates[0].estimates[1].support?.maxWeight).toBeLessThanOrEqual(bound * (1 + 1e-12))
      }),
      { numRuns: 50 },
    )
  })

  it('needs features that somebody knows, and every propensity', async () => {
    const rows = [{ action: 0, reward: 1, logging: [0.5, 0.5], candidate: [1, 0] }]
    await expect(judge(rows, [undefined, undefined])).rejects.toMatchObject({
      message: 'nobody says `genre` of the actions',
      hint: expect.stringContaining('`actions: { policy: NAME }`'),
    })
    const memory = { action: ['a'], propensity: [0.5], reward: [1] }
    const without = plan({ dataset: { actions: ['a', 'b'] }, spec: { estimators: [MIPS] } })
    await expect(evaluate(without, memoryTables({ memory }))).rejects.toMatchObject({
      message: '`mips` needs the propensity of every action, and Dataset `log` has that of the action taken',
      hint: expect.stringContaining('`mapping.propensities`'),
    })
  })
})

const [CONTEXTS, ACTIONS, GENRES] = [5, 60, 4]
const GENRE_OF = Array.from({ length: ACTIONS }, (_, a) => `genre ${a % GENRES}`)

/** By context and action. */
interface World {
  readonly mean: readonly (readonly number[])[]
  readonly logging: readonly (readonly number[])[]
  readonly candidate: readonly (readonly number[])[]
}

/** Rewards by context and genre, and `direct` of what each action does beyond it. Some actions the candidate would take fifty times as often. */
function world(rng: Rng, direct: number): World {
  const byGenre = Array.from({ length: CONTEXTS }, () =>
    Array.from({ length: GENRES }, () => 0.1 + 0.5 * rng.uniform()),
  )
  const own = Array.from({ length: ACTIONS }, () => rng.uniform())
  const candidate = distributions(rng, 2.5, CONTEXTS, ACTIONS)
  return {
    // What the candidate likes is better than its genre.
    mean: byGenre.map((of, x) =>
      own.map((u, a) => of[a % GENRES] + direct * (candidate[x][a] > 1.5 / ACTIONS ? u : 0)),
    ),
    logging: distributions(rng, 2.5, CONTEXTS, ACTIONS),
    candidate,
  }
}

const worth = (policy: World['mean'], mean: World['mean']) =>
  policy.reduce((sum, row, x) => sum + row.reduce((s, p, a) => s + p * mean[x][a], 0), 0) / CONTEXTS

/** What mips comes to in the end: each genre earns what it earned under the log. */
function limit({ mean, logging, candidate }: World): number {
  const alike = logging.map((p, x) =>
    p.map((_, a) => {
      const those = p.map((_, b) => (b % GENRES === a % GENRES ? 1 : 0))
      const of = (policy: readonly number[], f: (b: number) => number) =>
        policy.reduce((sum, q, b) => sum + those[b] * q * f(b), 0)
      return of(p, b => mean[x][b]) / of(p, () => 1)
    }),
  )
  return worth(candidate, alike)
}

function rowsOf({ mean, logging, candidate }: World, count: number, rng: Rng): Row[] {
  return Array.from({ length: count }, () => {
    const x = Math.floor(rng.uniform() * CONTEXTS)
    const action = draw(rng, logging[x])
    return { action, reward: rng.uniform() < mean[x][action] ? 1 : 0, logging: logging[x], candidate: candidate[x] }
  })
}

const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length
function errorOfMean(values: readonly number[]): number {
  const centre = mean(values)
  return Math.sqrt(mean(values.map(each => (each - centre) ** 2)) / (values.length - 1))
}

const LOGS = 100

async function measure(truth: World, name: string) {
  const none = () => ({ covered: 0, lift: 0, width: 0, values: [] as number[] })
  const found = { ips: none(), mips: none() }
  const target = worth(truth.candidate, truth.mean)
  const lift = target - worth(truth.logging, truth.mean)
  for (let seed = 0; seed < LOGS; seed++) {
    const rows = rowsOf(truth, 1000, stream(seed, 'mips log', name))
    const spec = { estimators: ['ips', MIPS] } as const
    for (const { estimator, value, interval, lift: paired } of estimatesOf(await judge(rows, GENRE_OF, spec))) {
      const of = found[estimator as 'ips' | 'mips']
      of.values.push(value as number)
      if (interval && interval.lower <= target && target <= interval.upper) of.covered += 1 / LOGS
      if (paired && paired.lower <= lift && lift <= paired.upper) of.lift += 1 / LOGS
      of.width += ((interval?.upper as number) - (interval?.lower as number)) / LOGS
    }
  }
  return { ...found, target }
}

describe('mips over logs of sixty actions of four genres', () => {
  it('covers what is known, in intervals clearly narrower than those of ips, where nothing but the genre counts', async () => {
    const truth = world(stream(3, 'mips world'), 0)
    expect(limit(truth)).toBeCloseTo(worth(truth.candidate, truth.mean), 12)
    const { ips, mips, target } = await measure(truth, 'no direct effect')
    const slack = 2 * Math.sqrt((0.06 * 0.94) / LOGS)
    expect(mips.covered).toBeGreaterThan(0.94 - slack)
    expect(mips.lift).toBeGreaterThan(0.94 - slack)
    expect(mips.width).toBeLessThan(0.5 * ips.width)
    expect(Math.abs(mean(mips.values) - target)).toBeLessThan(3 * errorOfMean(mips.values))
  })

  it('is off by what actions do beyond their genre, and covers no more', async () => {
    const truth = world(stream(3, 'mips world'), 0.3)
    const { mips, ips, target } = await measure(truth, 'direct effect')
    const bias = limit(truth) - target
    expect(bias).toBeLessThan(-0.05)
    expect(mean(mips.values) - target).toBeGreaterThan(bias - 0.01)
    expect(mean(mips.values) - target).toBeLessThan(bias + 0.01)
    expect(mips.covered).toBeLessThan(0.5)
    expect(ips.covered).toBeGreaterThan(0.9)
  })

  it('is `ok` only beside a `dr` that agrees, and a caution where weights leave no other', async () => {
    const spec = {
      estimators: ['dr', MIPS],
      rewardModel: { type: 'tabular', by: ['action'], prior: 10, crossFit: { folds: 2, by: 'row' } },
    } as const
    const verdictOf = async (truth: World, rows: number, also: Partial<EvaluationSpec> = spec) => {
      const { candidates } = await judge(rowsOf(truth, rows, stream(1, 'verdicts')), GENRE_OF, also)
      const [candidate] = candidates
      return { candidate, mips: candidate.estimates.find(({ estimator }) => estimator === 'mips') }
    }
    const honest = world(stream(3, 'mips world'), 0)
    expect((await verdictOf(honest, 20_000)).mips).toMatchObject({ verdict: 'ok', reasons: [] })
    const misled = await verdictOf(world(stream(3, 'mips world'), 0.3), 20_000)
    expect(misled.mips).toMatchObject({
      verdict: 'caution',
      reasons: [expect.stringContaining('`mips` is off by what actions do beyond `genre`')],
    })
    expect(misled.candidate.verdict).toBe('ok')
    expect((await verdictOf(honest, 20_000, { estimators: [MIPS] })).mips?.reasons).toEqual([
      expect.stringContaining('only beside `dr` can it be trusted'),
    ])
    const few = await verdictOf(honest, 150)
    expect(few.candidate.estimates[0].verdict).toBe('refuse')
    expect(few.mips?.verdict).toBe('caution')
    expect(few.candidate.verdict).toBe('caution')
    expect(few.mips?.support?.effectiveSampleSize).toBeGreaterThan(few.candidate.support?.effectiveSampleSize as number)
  })
})
