import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenTables, openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import { cressieReadBounds, type FakeRow } from '../../src/evaluate/intervals/cressie-read.ts'
import type { Bounds } from '../../src/evaluate/intervals/gaussian.ts'
import type { CandidateSpec, EstimatorSpec, RewardModelSpec } from '../../src/kinds.ts'
import type { CandidateResult, EstimateResult, EvaluationResult } from '../../src/results.ts'
import { generatedFiles } from '../golden/evaluate/make-log.ts'
import { goldenJson } from '../golden/read.ts'
import { dapIn } from '../support/run-dap.ts'
import { plan } from './support/plan.ts'

type Numbers = Readonly<Record<string, number>>
type Interval = readonly [number, number]

interface Golden {
  readonly log: {
    readonly sha256: Readonly<Record<string, string>>
    readonly rewards: Readonly<Record<string, { readonly range: Interval; readonly mean: number }>>
  }
  /** By reward's column and candidate; beside what is named here, an estimate by estimator. */
  readonly results: Readonly<Record<string, Readonly<Record<string, CandidateGolden>>>>
}

interface CandidateGolden {
  readonly diagnostics_by_script: Numbers
  readonly models: Readonly<Record<string, Numbers>>
  readonly vw: {
    readonly cressieread: number
    readonly intervals: Readonly<Record<string, { readonly gaussian: Interval; readonly cressieread: Interval }>>
  }
}

/** An estimator as an Evaluation has it, and the golden's name of it. */
type Pair = readonly [estimator: EstimatorSpec, golden: string]

const ESTIMATORS: readonly Pair[] = [
  ['ips', 'ipw'],
  ['snips', 'snipw'],
  ['dm', 'dm'],
  ['dr', 'dr'],
  ['replay', 'replay'],
  [{ type: 'clipped-ips', lambda: 2, name: 'clipped-ips-2' }, 'ipw_clip2'],
  [{ type: 'clipped-ips', lambda: 5, name: 'clipped-ips-5' }, 'ipw_clip5'],
  [{ type: 'clipped-ips', lambda: 10, name: 'clipped-ips-10' }, 'ipw_clip10'],
  [{ type: 'clipped-dr', lambda: 2, name: 'clipped-dr-2' }, 'dr_clip2'],
  [{ type: 'clipped-dr', lambda: 5, name: 'clipped-dr-5' }, 'dr_clip5'],
  [{ type: 'clipped-dr', lambda: 10, name: 'clipped-dr-10' }, 'dr_clip10'],
  ['sndr', 'sndr'],
  [{ type: 'switch-dr', lambda: 1, name: 'switch-dr-1' }, 'switch_dr_1'],
  [{ type: 'switch-dr', lambda: 2, name: 'switch-dr-2' }, 'switch_dr_2'],
  [{ type: 'switch-dr', lambda: 5, name: 'switch-dr-5' }, 'switch_dr_5'],
  [{ type: 'switch-dr', lambda: 10, name: 'switch-dr-10' }, 'switch_dr_10'],
]

const TABULAR = { type: 'tabular', by: ['action', 'slot'], prior: 10, crossFit: { folds: 2 } } as const
const MODELS: Readonly<Record<string, RewardModelSpec>> = {
  action_slot_k10: { ...TABULAR, crossFit: { folds: 1, by: 'row' } },
  action_slot_k10_xfit2: { ...TABULAR, crossFit: { folds: 2, by: 'row' } },
}
const CANDIDATES: readonly CandidateSpec[] = [
  { name: 'uniform', uniform: true },
  { name: 'by_slot', table: { file: 'by_slot.csv', by: ['slot'] } },
  { name: 'by_x', table: { file: 'by_x.csv', by: ['x'] } },
  { name: 'contextual', probabilities: { columns: 'pi_{action}' } },
  { name: 'chosen_by_slot', table: { file: 'chosen_by_slot.csv', by: ['slot'] } },
]
const MAPPING = { action: 'action', slot: 'slot', propensity: 'propensity' }
const ACTIONS = { range: [0, 5] } as const

const golden = goldenJson<Golden>('evaluate/generated.json')
const files = generatedFiles()

/** Relative 1e-9. */
function expectClose(actual: number | null | undefined, expected: number): void {
  expect(actual).toEqual(expect.any(Number))
  expect(Math.abs((actual as number) - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected))
}

function expectBounds(actual: Bounds | null, [lower, upper]: Interval): void {
  expectClose(actual?.lower, lower)
  expectClose(actual?.upper, upper)
}

function expectEstimates(estimates: readonly EstimateResult[], pairs: readonly Pair[], expected: Numbers): void {
  expect(estimates).toHaveLength(pairs.length)
  for (const [i, [, key]] of pairs.entries()) expectClose(estimates[i].value, expected[key])
}

/** The estimates of the candidate, by the golden's name. */
function expectedOf(reward: string, candidate: string, model: string): Numbers {
  const { diagnostics_by_script, models, vw, ...estimates } = golden.results[reward][candidate]
  return { ...(estimates as Numbers), ...models[model] }
}

describe('on the log that is made here', () => {
  let folder: string
  let tables: OpenTables

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dap-golden-'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    tables = openTables()
  })
  afterAll(async () => {
    await tables.close()
    await rm(folder, { recursive: true })
  })

  async function judge(
    candidate: CandidateSpec,
    reward: string,
    rewardModel: RewardModelSpec,
    pairs: readonly Pair[],
  ): Promise<CandidateResult> {
    const [minimum, maximum] = golden.log.rewards[reward].range
    const result = await evaluate(
      plan({
        paths: [join(folder, 'log.csv')],
        dataset: { actions: ACTIONS, reward: { minimum, maximum } },
        mapping: { ...MAPPING, reward },
        spec: {
          candidates: [candidate],
          estimators: pairs.map(([estimator]) => estimator),
          rewardModel,
        },
        tables: new Map('table' in candidate ? [[candidate.name, join(folder, candidate.table.file)]] : []),
      }),
      tables,
    )
    return result.candidates[0]
  }

  it('has the bytes that the golden numbers were recorded on', () => {
    const digests = Object.entries(files).map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')])
    expect(Object.fromEntries(digests)).toEqual(golden.log.sha256)
  })

  for (const reward of Object.keys(golden.results)) {
    for (const [model, rewardModel] of Object.entries(MODELS)) {
      for (const candidate of CANDIDATES) {
        it(`gives ${candidate.name} the ${reward} that the Open Bandit Pipeline does with ${model}`, async () => {
          const expected = expectedOf(reward, candidate.name, model)
          const pairs = ESTIMATORS.filter(([, key]) => key in expected)
          const { estimates } = await judge(candidate, reward, rewardModel, pairs)
          expectEstimates(estimates, pairs, expected)
        })
      }
    }

    for (const candidate of CANDIDATES) {
      it(`has the support and the Gaussian interval of ${candidate.name} for ${reward}`, async () => {
        const { diagnostics_by_script: diagnostics, vw } = golden.results[reward][candidate.name]
        const { support, estimates } = await judge(candidate, reward, MODELS.action_slot_k10, [['ips', 'ipw']])
        expectClose(support?.meanWeight, diagnostics.mean_w)
        expectClose(support?.maxWeight, diagnostics.max_w)
        expectClose(support?.effectiveSampleSize, diagnostics.ess_kish)
        expect(support?.rowsWithoutSupport).toBe(diagnostics.n_w_zero)
        expectBounds(estimates[0].interval, vw.intervals['0.05'].gaussian)
      })

      it(`has VowpalWabbit's Cressie-Read intervals of ${candidate.name} for ${reward}`, () => {
        const { diagnostics_by_script: diagnostics, vw } = golden.results[reward][candidate.name]
        const { range } = golden.log.rewards[reward]
        const [lower, upper] = range
        const { wmax } = diagnostics
        const sums = weightedSums(candidate, reward)
        const fakes = (r: number): FakeRow[] => [0, wmax].map(w => ({ w, y: w * r }))
        for (const [alpha, expected] of Object.entries(vw.intervals)) {
          const options = { level: 1 - Number(alpha), maxWeight: wmax, low: fakes(lower), high: fakes(upper) }
          const bounds = cressieReadBounds(sums, { ...options, range: { lower, upper } }, false)
          expectBounds(bounds, expected.cressieread)
        }
      })
    }
  }

  it('says the same at the front door', async () => {
    const resource = (kind: string, spec: unknown) => ({ apiVersion: 'dap/v1', kind, metadata: { name: 'made' }, spec })
    const dataset = { files: ['log.csv'], format: 'csv', actions: ACTIONS, mapping: { ...MAPPING, reward: 'reward' } }
    const model = 'action_slot_k10_xfit2'
    const pairs = ESTIMATORS.filter(([, key]) => key in expectedOf('reward', 'uniform', model))
    const estimators = pairs.map(([estimator]) => estimator)
    const spec = { dataset: 'made', candidates: CANDIDATES, estimators, rewardModel: MODELS[model] }
    for (const name of ['datasets', 'evaluations']) await mkdir(join(folder, name))
    await writeFile(join(folder, 'dap.yaml'), JSON.stringify(resource('Project', {})))
    await writeFile(join(folder, 'datasets', 'made.yaml'), JSON.stringify(resource('Dataset', dataset)))
    await writeFile(join(folder, 'evaluations', 'made.yaml'), JSON.stringify(resource('Evaluation', spec)))

    const { stdout, stderr } = await dapIn(folder, 'evaluate', 'made', '--json')
    expect(stderr).toBe('')
    const { candidates }: EvaluationResult = JSON.parse(stdout)
    expect(candidates.map(({ name }) => name)).toEqual(CANDIDATES.map(({ name }) => name))
    for (const { name, estimates } of candidates) {
      expectEstimates(estimates, pairs, expectedOf('reward', name, model))
    }
  })
})

/** Sums of w = π/p and of y = w·r over the rows of the log. */
function weightedSums(candidate: CandidateSpec, reward: string) {
  const probability = probabilityOf(candidate)
  const total = { rows: 0, w: 0, ww: 0, y: 0, wy: 0, yy: 0 }
  for (const row of numbers(files['log.csv'])) {
    const w = probability(row) / row.propensity
    const y = w * row[reward]
    total.rows++
    total.w += w
    total.ww += w * w
    total.y += y
    total.wy += w * y
    total.yy += y * y
  }
  return total
}

/** The candidate's probability of the logged action. */
function probabilityOf(candidate: CandidateSpec): (row: Numbers) => number {
  if ('table' in candidate) {
    const { file, by } = candidate.table
    const [key] = by
    const cells = new Map(numbers(files[file]).map(row => [`${row[key]} ${row.action}`, row.probability]))
    return row => cells.get(`${row[key]} ${row.action}`) as number
  }
  return row => ('uniform' in candidate ? 1 / 6 : row[`pi_${row.action}`])
}

function numbers(csv: string): Numbers[] {
  const [header, ...lines] = csv.trimEnd().split('\n')
  const names = header.split(',')
  return lines.map(line => Object.fromEntries(line.split(',').map((cell, i) => [names[i], Number(cell)])))
}
