import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openTables } from '../../../src/adapters/duckdb/duckdb.ts'
import { ESTIMATORS } from '../../../src/evaluate/estimators/estimators.ts'
import { evaluate } from '../../../src/evaluate/evaluate.ts'
import { createUnitCounter, squaresByUnit } from '../../../src/evaluate/weights/units.ts'
import type { EvaluationSpec } from '../../../src/kinds.ts'
import { BUCKET_MASK, type GroupColumn, SUM_GROUPS } from '../../../src/log/tables.ts'
import { type Rng, stream } from '../../../src/math/rng.ts'
import { memoryTables } from '../support/memory-tables.ts'
import { plan } from '../support/plan.ts'
import { unitHash } from '../support/unit-hash.ts'

interface Row {
  readonly unit: string | null
  readonly action: number
  readonly propensity: number
  readonly reward: number
}

const ALL = ESTIMATORS.filter(({ type, by }) => type !== 'replay' && by !== true).map(({ type }) => type)

async function judge(rows: readonly Row[], spec: Partial<EvaluationSpec> = {}, known = true) {
  const memory = {
    unit: rows.map(row => row.unit),
    action: rows.map(row => row.action),
    propensity: rows.map(row => row.propensity),
    reward: rows.map(row => row.reward),
    p_0: rows.map(() => 0.7),
    p_1: rows.map(() => 0.3),
    n_0: rows.map(() => 0.2),
    n_1: rows.map(() => 0.8),
  }
  return await evaluate(
    plan({
      dataset: { actions: { range: [0, 1] }, reward: { minimum: 0, maximum: 1 } },
      mapping: known ? { unit: 'unit' } : {},
      spec: {
        candidates: [{ name: 'new', probabilities: { columns: 'p_{action}' } }],
        estimators: ALL,
        rewardModel: { type: 'tabular', by: ['action'], prior: 3, crossFit: { folds: 1 } },
        interval: { method: 'cressie-read', level: 0.95 },
        ...spec,
      },
    }),
    memoryTables({ memory }),
  )
}

function logOf(rng: Rng, units: number): Row[] {
  return Array.from({ length: units }, (_, u) => {
    const rate = rng.uniform()
    return Array.from({ length: 1 + Math.floor(4 * rng.uniform()) }, (): Row => {
      const action = rng.uniform() < 0.4 ? 0 : 1
      const reward = rng.uniform() < rate ? 1 : 0
      return { unit: `unit-${u}`, action, propensity: action === 0 ? 0.4 : 0.6, reward }
    })
  }).flat()
}

const logs = fc.nat().map(seed => logOf(stream(seed, 'units'), 60))

/** Σ over units of the sum of their rows' influences, squared. */
function byUnit(rows: readonly Row[], influence: (row: Row) => number): number {
  const sums = new Map<string, number>()
  for (const row of rows) sums.set(row.unit ?? '', (sums.get(row.unit ?? '') ?? 0) + influence(row))
  const groups = sums.size
  return Math.sqrt((groups / (groups - 1)) * [...sums.values()].reduce((sum, x) => sum + x * x, 0)) / rows.length
}

const pi = [0.7, 0.3]
const weightOf = ({ action, propensity }: Row) => pi[action] / propensity
const mean = (rows: readonly Row[], of: (row: Row) => number) =>
  rows.reduce((sum, row) => sum + of(row), 0) / rows.length

describe('a log of units', () => {
  it('has the standard errors of a cluster sample', async () => {
    const rows = logOf(stream(1, 'units by hand'), 40)
    const result = await judge(rows, { estimators: ['ips', 'snips'], interval: { method: 'gaussian', level: 0.95 } })
    const [ips, snips] = result.candidates[0].estimates
    const value = mean(rows, row => weightOf(row) * row.reward)
    const w = mean(rows, weightOf)
    const normalised = value / w
    expect(ips.standardError).toBeCloseTo(
      byUnit(rows, row => weightOf(row) * row.reward - value),
      12,
    )
    expect(snips.standardError).toBeCloseTo(
      byUnit(rows, row => (weightOf(row) * (row.reward - normalised)) / w),
      12,
    )
    const rewarded = rows.filter(({ reward }) => reward > 0)
    expect(result.candidates[0].support?.positiveCount).toBe(new Set(rewarded.map(({ unit }) => unit)).size)
    const weights = [...new Set(rows.map(({ unit }) => unit))].map(unit =>
      rows.filter(row => row.unit === unit).reduce((sum, row) => sum + weightOf(row), 0),
    )
    expect(result.candidates[0].support?.maxWeightShare).toBeCloseTo(Math.max(...weights) / (w * rows.length), 12)
    const r = mean(rows, row => row.reward)
    const half = ((snips.lift?.upper ?? 0) - (snips.lift?.lower ?? 0)) / 2
    const error = byUnit(rows, row => (weightOf(row) * (row.reward - normalised)) / w - (row.reward - r))
    // Student's t with Kish's number of units less 1 degrees of freedom: a little more than the normal 1.96.
    expect(half / error).toBeGreaterThan(1.98)
    expect(half / error).toBeLessThan(2.06)
  })

  it('knows no more where all that its units did is written down three times', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async rows => {
        const one = await judge(rows)
        const three = await judge(rows.flatMap(row => [row, row, row]))
        for (const [i, estimate] of one.candidates[0].estimates.entries()) {
          const { value, standardError, interval, lift } = three.candidates[0].estimates[i]
          // The model's own error gives way to more rows of its cells.
          if (estimate.estimator === 'dm') continue
          const [digits, name] = ['dr', 'sndr', 'switch-dr', 'clipped-dr'].includes(estimate.estimator)
            ? [2, estimate.estimator]
            : [9, '']
          expect(value, name).toBeCloseTo(estimate.value as number, digits)
          expect(standardError, name).toBeCloseTo(estimate.standardError as number, digits)
          // Rows of a unit that are less alike than by chance count as independent ones, of which there are now more.
          expect(interval?.lower, name).toBeCloseTo(estimate.interval?.lower as number, 2)
          expect(lift?.upper, name).toBeCloseTo(estimate.lift?.upper as number, 2)
        }
        const { effectiveSampleSize, positiveCount } = one.candidates[0].support ?? {}
        expect(three.candidates[0].support?.effectiveSampleSize).toBeCloseTo(effectiveSampleSize as number, 9)
        expect(three.candidates[0].support?.positiveCount).toBe(positiveCount)
        expect(three.dataset.units.effective).toBeCloseTo(one.dataset.units.effective, 9)
      }),
      { numRuns: 15 },
    )
  })

  it('is one of rows where every unit has one', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async rows => {
        const alone = rows.map((row, i) => ({ ...row, unit: `alone-${i}` }))
        const one = await judge(alone)
        const other = await judge(alone, {}, false)
        expect(one.dataset.units.effective).toBeCloseTo(rows.length, 9)
        for (const [i, estimate] of one.candidates[0].estimates.entries()) {
          const { value, standardError, interval } = other.candidates[0].estimates[i]
          expect(estimate.value).toBeCloseTo(value as number, 12)
          expect(estimate.standardError).toBeCloseTo(standardError as number, 12)
          // Student's t with one degree of freedom less.
          if (estimate.estimator !== 'dm') expect(estimate.interval?.lower).toBeCloseTo(interval?.lower as number, 2)
        }
      }),
      { numRuns: 15 },
    )
  })

  it('says how many its units are, what they are worth, and which is the largest', async () => {
    const rows = [
      ...Array.from({ length: 99 }, (_, i): Row => ({ unit: `u${i}`, action: 0, propensity: 0.5, reward: i % 2 })),
      ...Array.from({ length: 101 }, (): Row => ({ unit: 'whale', action: 1, propensity: 0.5, reward: 1 })),
    ]
    const { dataset, candidates } = await judge(rows, { estimators: ['ips'] })
    expect(dataset.units.known).toBe(true)
    expect(dataset.units.count).toBe(100)
    expect(dataset.units.effective).toBeCloseTo((200 * 200) / (99 + 101 * 101), 9)
    expect(dataset.units.largestShare).toBeCloseTo(101 / 200, 12)
    expect(candidates[0].verdict).toBe('refuse')
    expect(candidates[0].reasons.join()).toMatch(/the largest has 5[01] % of the decisions/)
    const without = await judge(rows, { estimators: ['ips'] }, false)
    expect(without.dataset.units).toMatchObject({ known: false, count: 200, effective: 200 })
    expect(without.dataset.notes).toContain('the log has no units: rows are taken for independent of each other')
  })

  it('says how many rows have none, each of which is a unit of its own', async () => {
    const row = { action: 0, propensity: 0.5, reward: 1 }
    const of = async (...units: (string | null)[]) => (await judge(units.map(unit => ({ unit, ...row })))).dataset
    const none = (notes: readonly string[]) => notes.filter(note => note.includes('no unit'))
    const [all, one, two, nobody] = [
      await of('a', 'a', 'b'),
      await of('a', 'a', null),
      await of(null, 'a', null),
      await of(null, null),
    ]
    expect([none(all.notes), all.units.count]).toEqual([[], 2])
    expect([none(one.notes), one.units.count]).toEqual([['1 row has no unit: it is taken for one of its own'], 2])
    expect([none(two.notes), two.units.count]).toEqual([['2 rows have no unit: each is taken for one of its own'], 3])
    expect(nobody.units).toMatchObject({ known: false, count: 2 })
    expect(none(nobody.notes)).toEqual(['the log has no units: rows are taken for independent of each other'])
  })

  it('counts its units, many or few', () => {
    for (const [units, slack] of [
      [1, 0],
      [1000, 1],
      [50_000, 100],
      [2_000_000, 8000],
    ]) {
      const counter = createUnitCounter()
      const rng = stream(6, 'count', String(units))
      const buckets = Int32Array.from({ length: units }, () => Math.floor(BUCKET_MASK * rng.uniform()))
      for (let twice = 0; twice < 2; twice++) counter.add(buckets, units)
      counter.add(Int32Array.of(-1), 1)
      expect(Math.abs(counter.count() - units)).toBeLessThanOrEqual(slack)
    }
  })

  it('has a unit for every bucket from 0, and none for negative ones', () => {
    const counter = createUnitCounter()
    expect(counter.add(Int32Array.of(-1, 0, 1, 0, -1), 5)).toBe(2)
    expect(counter.count()).toBe(2)
  })

  it('whose units are so many that they share groups is still worth as many', () => {
    const rng = stream(4, 'crowded')
    const groups = new Float64Array(SUM_GROUPS)
    let squares = 0
    let total = 0
    for (let u = 0; u < 300_000; u++) {
      const n = 1 + Math.floor(6 * rng.uniform() * rng.uniform())
      groups[Math.floor(SUM_GROUPS * rng.uniform())] += n
      squares += n * n
      total += n
    }
    expect(squaresByUnit(groups, total) / squares).toBeGreaterThan(0.95)
    expect(squaresByUnit(groups, total) / squares).toBeLessThan(1.05)
    // Few are as they are.
    const few = new Float64Array(SUM_GROUPS)
    few.set([3, 4])
    expect(squaresByUnit(few, 7)).toBe(25)
  })

  it('counts a group as one unit below 2048 groups, and from there as those that meet in it by chance', () => {
    const ones = (groups: number) => new Float64Array(SUM_GROUPS).fill(1, 0, groups)
    expect(squaresByUnit(ones(2047), 2047)).toBe(2047)
    expect(squaresByUnit(ones(2048), 2048)).toBeCloseTo((2048 - 2048 ** 2 / SUM_GROUPS) / (1 - 1 / SUM_GROUPS), 9)
  })

  it('has the same buckets in DuckDB as in the second implementation of the hash', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-buckets-'))
    try {
      const rng = stream(5, 'buckets')
      const units = Array.from({ length: 500 }, (_, i) =>
        Array.from({ length: i % 40 }, () => String.fromCharCode(97 + Math.floor(26 * rng.uniform()))).join(''),
      ).map((text, i) => `${text}${i}`)
      const path = join(folder, 'units.csv')
      await writeFile(path, `unit\n${units.join('\n')}\n`)
      const found: number[] = []
      const tables = openTables()
      for await (const { rows, columns } of tables.read({ format: 'csv', paths: [path] }, [
        { column: 'unit', type: 'bucket' },
      ])) {
        found.push(...(columns[0] as GroupColumn).values.subarray(0, rows))
      }
      expect(found).toEqual(units.map(unit => Number(unitHash(unit) & BigInt(BUCKET_MASK))))
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('two candidates', () => {
  const candidates = [
    { name: 'new', probabilities: { columns: 'p_{action}' } },
    { name: 'old', probabilities: { columns: 'n_{action}' } },
  ]

  it('differ by their estimates, with the error of rows that both were judged on', async () => {
    const rows = logOf(stream(2, 'pairs'), 40)
    const result = await judge(rows, {
      candidates,
      estimators: ['ips', 'dr'],
      interval: { method: 'gaussian', level: 0.95 },
    })
    const [{ candidate, baseline, estimates }] = result.differences
    expect([candidate, baseline]).toEqual(['old', 'new'])
    for (const [i, { value }] of estimates.entries()) {
      const [one, other] = result.candidates.map(each => each.estimates[i].value as number)
      expect(value).toBeCloseTo(other - one, 12)
    }
    const old = [0.2, 0.8]
    const y = (row: Row) => ((old[row.action] - pi[row.action]) / row.propensity) * row.reward
    const m = mean(rows, y)
    expect(estimates[0].standardError).toBeCloseTo(
      byUnit(rows, row => y(row) - m),
      12,
    )
    expect(estimates[0].simultaneous).toBeNull()
  })

  it('are told apart from the log as a lift is', async () => {
    const rows = logOf(stream(3, 'lift'), 80)
    const all = [...candidates.slice(0, 1), { name: 'log', logging: true as const }]
    const { differences, candidates: judged } = await judge(rows, {
      candidates: all,
      estimators: ['ips', 'snips', 'dr'],
    })
    for (const [i, { value, interval }] of differences[0].estimates.entries()) {
      const { lift } = judged[0].estimates[i]
      expect(value).toBeCloseTo(-(lift?.value as number), 12)
      expect(interval?.lower).toBeCloseTo(-(lift?.upper as number), 9)
      expect(interval?.upper).toBeCloseTo(-(lift?.lower as number), 9)
    }
  })

  it('of three have intervals that hold for all pairs at once: at a third of the error each', async () => {
    const rows = logOf(stream(4, 'bonferroni'), 80)
    const three = [...candidates, { name: 'even', uniform: true as const }]
    const at = async (level: number, all: EvaluationSpec['candidates']) =>
      judge(rows, { candidates: all, estimators: ['ips', 'dr'], interval: { method: 'cressie-read', level } })
    const together = await at(0.95, three)
    const alone = await at(1 - 0.05 / 3, candidates)
    expect(together.differences).toHaveLength(3)
    for (const [i, { simultaneous }] of together.differences[0].estimates.entries()) {
      const { interval } = alone.differences[0].estimates[i]
      expect(simultaneous?.lower).toBeCloseTo(interval?.lower as number, 12)
      expect(simultaneous?.upper).toBeCloseTo(interval?.upper as number, 12)
    }
    for (const [i, { lift }] of together.candidates[0].estimates.entries()) {
      const wider = alone.candidates[0].estimates[i].lift
      expect(lift?.simultaneous?.lower).toBeCloseTo(wider?.lower as number, 12)
      expect(lift?.simultaneous?.upper).toBeCloseTo(wider?.upper as number, 12)
    }
  })
})

describe('estimators that lean on a reward model', () => {
  /** 8 rows a unit, action 0 with a propensity of 0.05 and never above: all of its weights are cut. */
  function rare(seed: number): Row[] {
    const rng = stream(seed, 'leaning')
    return Array.from({ length: 300 }, (_, u) =>
      Array.from({ length: 8 }, (): Row => {
        const action = rng.uniform() < 0.05 ? 0 : 1
        const reward = rng.uniform() < 0.25 ? 1 : 0
        return { unit: `unit-${u}`, action, propensity: action === 0 ? 0.05 : 0.95, reward }
      }),
    ).flat()
  }
  const specs: EvaluationSpec['estimators'] = [
    'dm',
    { type: 'switch-dr', lambda: 10 },
    { type: 'clipped-dr', lambda: 5 },
  ]

  it('count its own error where they do, in values, lifts and differences', async () => {
    const LOGS = 120
    const covered = new Map<string, number>()
    const cover = (key: string, hit: boolean) => covered.set(key, (covered.get(key) ?? 0) + (hit ? 1 : 0))
    for (let seed = 0; seed < LOGS; seed++) {
      const { candidates, differences } = await judge(rare(seed), {
        candidates: [
          { name: 'rare', fixed: '0' },
          { name: 'other', fixed: '1' },
        ],
        estimators: specs,
        rewardModel: { type: 'tabular', by: ['action'], prior: 1, crossFit: { folds: 2 } },
      })
      for (const { estimator, interval, lift } of candidates[0].estimates) {
        cover(`${estimator} value`, interval !== null && interval.lower <= 0.25 && 0.25 <= interval.upper)
        cover(`${estimator} lift`, lift !== null && lift.lower <= 0 && 0 <= lift.upper)
      }
      for (const { estimator, interval } of differences[0].estimates) {
        cover(`${estimator} difference`, interval !== null && interval.lower <= 0 && 0 <= interval.upper)
      }
    }
    expect(covered.size).toBe(9)
    for (const [key, count] of covered) expect(count / LOGS, key).toBeGreaterThan(0.93 - 2 * Math.sqrt(0.06 / LOGS))
  })

  it('count none of it where they do not: switch-dr of no heavy weight is dr', async () => {
    const rows = logOf(stream(9, 'light'), 80)
    const { candidates } = await judge(rows, {
      estimators: ['dr', { type: 'switch-dr', lambda: 100 }, { type: 'clipped-dr', lambda: 100 }],
    })
    const [dr, ...cut] = candidates[0].estimates
    for (const { value, standardError, interval, lift } of cut) {
      expect({ value, standardError, interval, lift }).toEqual({
        value: dr.value,
        standardError: dr.standardError,
        interval: dr.interval,
        lift: dr.lift,
      })
    }
  })
})
