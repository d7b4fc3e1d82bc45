import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CandidateSpec, RewardModelSpec } from '../../src/kinds.ts'
import type { CandidateResult, EvaluationResult } from '../../src/results.ts'
import { dapIn } from '../support/run-dap.ts'

interface Golden {
  readonly policies: {
    readonly [name: string]: {
      readonly table?: readonly (readonly number[])[]
      readonly action_by_position?: readonly number[]
    }
  }
  readonly results: { readonly [candidate: string]: { readonly [key: string]: unknown } }
}

/** Golden's name of a reward model → ours. Its positions are 0-based, the file's start at 1. */
const MODELS: Readonly<Record<string, RewardModelSpec>> = {
  tab_action_pos_k10: { type: 'tabular', by: ['action', 'slot'], prior: 10, crossFit: { folds: 1 } },
  tab_action_raw: { type: 'tabular', by: ['action'], prior: 0, crossFit: { folds: 1 } },
  tab_action_pos_k10_xfit2: {
    type: 'tabular',
    by: ['action', 'slot'],
    prior: 10,
    crossFit: { folds: 2, by: 'row' },
  },
}
const TABLES = ['bts_prior_mc', 'marginal_other_log', 'greedy_other_log']

const resource = (kind: string, spec: unknown) => ({ apiVersion: 'dap/v1', kind, metadata: { name: 'men' }, spec })

/** Relative 1e-9. */
function expectClose(actual: number | null, expected: number): void {
  expect(actual).not.toBeNull()
  expect(Math.abs((actual as number) - expected)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(expected), 1e-12))
}

for (const behaviour of ['random', 'bts']) {
  const csv = fileURLToPath(new URL(`../../../shared/data/obd/${behaviour}_men/men.csv`, import.meta.url))

  describe.skipIf(!existsSync(csv))(`on the Open Bandit log of ${behaviour}, campaign men`, () => {
    const golden: Golden = JSON.parse(
      readFileSync(new URL(`../golden/evaluate/obd_${behaviour}_men.json`, import.meta.url), 'utf8'),
    )
    let folder: string
    const candidates: CandidateSpec[] = [
      { name: 'uniform', uniform: true },
      { name: 'logging', logging: true },
      {
        name: 'softmax_affinity',
        scores: { columns: 'user-item_affinity_{action}' },
        exploration: { type: 'softmax', temperature: 1 },
      },
      ...TABLES.map(name => ({ name, table: { file: `${name}.csv`, by: ['slot'] } })),
    ]

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'dap-obd-'))
      for (const name of ['datasets', 'evaluations']) await mkdir(join(folder, name))
      const mapping = { action: 'item_id', slot: 'position', propensity: 'propensity_score', reward: 'click' }
      const dataset = { files: [csv], format: 'csv', actions: { range: [0, 33] }, mapping }
      await writeFile(join(folder, 'dap.yaml'), JSON.stringify(resource('Project', { dataRoots: [dirname(csv)] })))
      await writeFile(join(folder, 'datasets', 'men.yaml'), JSON.stringify(resource('Dataset', dataset)))
      for (const name of TABLES) {
        const { table, action_by_position: chosen } = golden.policies[name]
        const lines = ['slot,action,probability']
        for (let position = 0; position < 3; position++) {
          if (chosen) lines.push(`${position + 1},${chosen[position]},1`)
          else
            table?.forEach((row, action) => {
              lines.push(`${position + 1},${action},${row[position]}`)
            })
        }
        await writeFile(join(folder, `${name}.csv`), `${lines.join('\n')}\n`)
      }
    })
    afterAll(() => rm(folder, { recursive: true }))

    /** Through the front door: a repository with a data root, and `dap evaluate men --json`. */
    async function run(rewardModel: RewardModelSpec, method: 'gaussian' | 'cressie-read'): Promise<EvaluationResult> {
      const interval = { method, level: 0.95 }
      const estimators = ['ips', 'snips', 'dm', 'dr']
      const spec = { dataset: 'men', candidates, estimators, rewardModel, interval }
      await writeFile(join(folder, 'evaluations', 'men.yaml'), JSON.stringify(resource('Evaluation', spec)))
      const { stdout, stderr } = await dapIn(
        { folder, environment: { DAP_DATA_ROOTS: dirname(csv) } },
        'evaluate',
        'men',
        '--json',
      )
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    }
    const of = (result: EvaluationResult, name: string) =>
      result.candidates.find(candidate => candidate.name === name) as CandidateResult
    const value = (candidate: CandidateResult, estimator: string) =>
      candidate.estimates.find(e => e.estimator === estimator)?.value ?? null

    for (const [name, model] of Object.entries(MODELS)) {
      it(`equals the Open Bandit Pipeline with the reward model ${name}`, async () => {
        const result = await run(model, 'gaussian')
        for (const candidate of ['uniform', 'softmax_affinity', ...TABLES]) {
          const found = of(result, candidate)
          const expected = golden.results[candidate]
          const modelled = expected[name] as Record<string, number>
          expectClose(value(found, 'ips'), expected.ipw as number)
          expectClose(value(found, 'snips'), expected.snipw as number)
          expectClose(value(found, 'dm'), modelled.dm)
          expectClose(value(found, 'dr'), modelled.dr)
          const diagnostics = expected.diagnostics_by_script as Record<string, number>
          expectClose(found.support?.meanWeight ?? null, diagnostics.mean_w)
          expectClose(found.support?.maxWeight ?? null, diagnostics.max_w)
          expectClose(found.support?.effectiveSampleSize ?? null, diagnostics.ess_kish)
          expect(found.support?.rowsWithoutSupport).toBe(diagnostics.n_w_zero)
        }
      })
    }

    it('judges what the log can tell', async () => {
      const result = await run(MODELS.tab_action_pos_k10_xfit2, 'cressie-read')
      const verdicts = Object.fromEntries(result.candidates.map(({ name, verdict }) => [name, verdict]))
      expect(verdicts.logging).toBe('ok')
      expect(verdicts.greedy_other_log).toBe('refuse')
      if (behaviour === 'random') expect(verdicts.uniform).toBe('ok')
      else expect(verdicts.uniform).not.toBe('ok')
      for (const { estimate } of of(result, 'logging').estimates.map(estimate => ({ estimate }))) {
        expect(estimate.value).toBe(result.dataset.meanReward)
        expect(estimate.lift?.value).toBe(0)
      }
    })
  })
}
