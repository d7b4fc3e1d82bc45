import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { CandidateSpec, RewardModelSpec } from '../../src/kinds.ts'
import type { CandidateResult, EvaluationResult } from '../../src/results.ts'
import { plan } from './support/plan.ts'

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
  tab_action_pos_k10: { type: 'tabular', by: ['action', 'slot'], prior: 10 },
  tab_action_raw: { type: 'tabular', by: ['action'], prior: 0 },
  tab_action_pos_k10_xfit2: {
    type: 'tabular',
    by: ['action', 'slot'],
    prior: 10,
    crossFit: { folds: 2, by: 'row' },
  },
}
const TABLES = ['bts_prior_mc', 'marginal_other_log', 'greedy_other_log']

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
    const tables = new Map<string, string>()
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
        tables.set(name, join(folder, `${name}.csv`))
        await writeFile(join(folder, `${name}.csv`), `${lines.join('\n')}\n`)
      }
    })
    afterAll(() => rm(folder, { recursive: true }))

    const run = (rewardModel: RewardModelSpec, method: 'gaussian' | 'cressie-read') =>
      evaluate(
        plan({
          paths: [csv],
          tables,
          dataset: { actions: { range: [0, 33] } },
          mapping: { action: 'item_id', slot: 'position', propensity: 'propensity_score', reward: 'click' },
          spec: {
            candidates,
            estimators: ['ips', 'snips', 'dm', 'dr'],
            rewardModel,
            interval: { method, level: 0.95 },
          },
        }),
        openTables(),
      )
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
          expectClose(found.support.meanWeight, diagnostics.mean_w)
          expectClose(found.support.maxWeight, diagnostics.max_w)
          expectClose(found.support.effectiveSampleSize, diagnostics.ess_kish)
          expect(found.support.rowsWithoutSupport).toBe(diagnostics.n_w_zero)
        }
      })
    }

    it('judges what the log can tell', async () => {
      const result = await run(MODELS.tab_action_pos_k10_xfit2, 'cressie-read')
      const verdicts = Object.fromEntries(result.candidates.map(({ name, verdict }) => [name, verdict]))
      if (process.env.SHOW) console.log(JSON.stringify(result, null, 1))
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
