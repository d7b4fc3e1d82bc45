import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { DapError } from '../../src/errors.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { EvaluationPlan } from '../../src/evaluate/evaluation-plan.ts'
import type { EvaluationSpec, PolicySpec } from '../../src/kinds.ts'
import { createScoring } from '../../src/models/score.ts'
import type { Outputs } from '../../src/policy/model-outputs.ts'
import { type Context, createPolicy, type Policy } from '../../src/policy/policy.ts'
import {
  BY_SCORES,
  brokenRuntime,
  linesOf,
  NEURAL_LINEAR,
  type Played,
  playModel,
  scorer,
  tanhRuntime,
} from '../support/played-models.ts'
import { memoryTables } from './support/memory-tables.ts'
import { plan } from './support/plan.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-evaluate-models-'))
})

const DIGEST = `sha256:${'0'.repeat(64)}`
const DAP = { files: [], format: 'dap', mapping: undefined, reward: { default: 0 } } as const

let files = 0
async function judge(
  policy: Policy,
  played: readonly Played[],
  openRuntime: EvaluationPlan['openRuntime'],
  spec: Partial<EvaluationSpec> = {},
  more: Partial<EvaluationPlan> = {},
) {
  const path = join(folder, `${files++}.jsonl`)
  await writeFile(path, linesOf(played))
  const { dataset, ...rest } = plan({
    paths: [path],
    dataset: DAP,
    spec: {
      candidates: [
        { name: 'it', policy: 'it' },
        { name: 'logging', logging: true },
      ],
      estimators: ['ips', 'snips', 'dr'],
      rewardModel: { type: 'tabular', by: ['action'], prior: 1, crossFit: { folds: 2 } },
      ...spec,
    },
    policies: new Map([['it', policy]]),
  })
  const offered = policy.pool === undefined
  return evaluate({ ...rest, dataset: { ...dataset, root: folder, offered }, openRuntime, ...more }, openTables())
}

const never: EvaluationPlan['openRuntime'] = () => Promise.reject(new Error('it was not to be opened'))

const made = (spec: PolicySpec) => createPolicy('p', spec, DIGEST)

/** The same log, as it would be had nothing been logged of what the Model gave. */
const unlogged = (played: readonly Played[]): readonly Played[] =>
  played.map(each => ({
    ...each,
    record: { ...each.record, model: each.record.model && { ...each.record.model, outputs: undefined } },
  }))

const LISTS: PolicySpec = { ...BY_SCORES, decision: { type: 'ranking', slots: 2, uniform: 0.1 } }
const REQUESTED: PolicySpec = {
  ...BY_SCORES,
  actions: { from: 'request', max: 8, features: { price: { type: 'number' } } },
  guardrails: { minProbability: 0 },
}
const LIST_SPEC: Partial<EvaluationSpec> = { estimators: ['sips', 'rips'], rewardModel: undefined }

const SPECS: readonly (readonly [string, PolicySpec, number, Partial<EvaluationSpec>])[] = [
  ['scores', BY_SCORES, 1, {}],
  ['an embedding', NEURAL_LINEAR, 3, {}],
  ["the request's actions", REQUESTED, 1, {}],
  ['lists', LISTS, 1, LIST_SPEC],
  ['a listwise model', { ...BY_SCORES, scorer: scorer({ type: 'value' }, { listwise: true }) }, 1, {}],
]

describe('a candidate with a Model', () => {
  it.each(SPECS)('has the very propensities of its own log, and asks nobody: %s', async (_, spec, width, changes) => {
    const played = await playModel(made(spec), tanhRuntime(width), 300)
    const { candidates, dataset } = await judge(made(spec), played, never, changes)
    expect(dataset.rows).toBe(300)
    const [{ support, estimates }, logging] = candidates
    expect(support?.meanWeight).toBe(1)
    expect(estimates[0].value).toBeCloseTo(logging.estimates[0].value as number, 12)
    expect(support?.effectiveSampleSize).toBeCloseTo(300, 9)
    expect(dataset.notes.filter(note => note.includes('scored'))).toEqual([])
  })

  it.each(SPECS)(
    'is scored here where the log does not say it, to the same end: %s',
    async (_, spec, width, changes) => {
      const played = await playModel(made(spec), tanhRuntime(width), 300)
      const [runtime, some] = [tanhRuntime(width), tanhRuntime(width)]
      const known = await judge(made(spec), played, never, changes)
      const all = await judge(made(spec), unlogged(played), async () => runtime, changes)
      const half = await judge(
        made(spec),
        [...unlogged(played.slice(0, 120)), ...played.slice(120)],
        async () => some,
        changes,
      )
      const note = 'candidate `it`: the Model `net` scored 300 rows here, by tanh 1.0'
      expect(all.dataset.notes).toContain(note)
      expect(half.dataset.notes).toContain(`${note.replace('300', '120')}; the log has its scores of 180 more`)
      for (const result of [all, half]) {
        const notes = result.dataset.notes.filter(each => !each.includes('scored'))
        expect({ ...result, dataset: { ...result.dataset, notes } }).toEqual(known)
      }
      if (spec.scorer?.listwise) expect(runtime.calls).toBe(300)
      else expect(runtime.calls).toBeLessThanOrEqual(2)
    },
  )

  it('takes no scores of another Model', async () => {
    const played = await playModel(made(BY_SCORES), tanhRuntime(1), 200)
    const other = made({ ...BY_SCORES, scorer: scorer({ type: 'value' }, { digest: `sha256:${'9'.repeat(64)}` }) })
    const runtime = tanhRuntime(1)
    const { dataset } = await judge(other, played, async () => runtime)
    expect(runtime.rows).toBe(played.reduce((rows, { record }) => rows + record.eligible.length, 0))
    expect(dataset.notes).toContain('candidate `it`: the Model `net` scored 200 rows here, by tanh 1.0')
  })

  it('is asked about what both it and the log find eligible', async () => {
    const loose = made({
      ...BY_SCORES,
      actions: [
        { id: 'a', features: { price: 1 } },
        { id: 'b', features: { price: 2.5 } },
        { id: 'c', features: { price: 0.3 } },
      ],
    })
    const played = await playModel(made(BY_SCORES), tanhRuntime(1), 200)
    const runtime = tanhRuntime(1)
    await judge(loose, unlogged(played), async () => runtime)
    expect(runtime.rows).toBe(played.reduce((rows, { record }) => rows + record.eligible.length, 0))
    const strict = made({
      ...BY_SCORES,
      actions: [
        { id: 'a', features: { price: 1 } },
        { id: 'b', features: { price: 2.5 }, eligible: 'false' },
        { id: 'c', features: { price: 0.3 }, eligible: 'ctx.x > 0.5' },
      ],
    })
    const fewer = tanhRuntime(1)
    await judge(strict, unlogged(played), async () => fewer)
    expect(fewer.rows).toBe(played.reduce((rows, { record }) => rows + (Number(record.context['x']) > 0.5 ? 2 : 1), 0))
  })

  it('is scored on a log of another format', async () => {
    const played = await playModel(made(BY_SCORES), tanhRuntime(1), 200)
    const column = (of: (each: Played) => string | number) => played.map(of)
    const memory = {
      id: column(({ record }) => record.decisionId),
      player: column(({ record }) => String(record.context['player'])),
      x: column(({ record }) => Number(record.context['x'])),
      action: column(({ record }) => String(record.slots[0].action)),
      propensity: column(({ record }) => Number(record.slots[0].propensity)),
      reward: column(({ reward }) => Number(reward.value)),
      eligible: column(({ record }) => JSON.stringify(record.eligible.map(({ id }) => id))),
    }
    const given = plan({
      mapping: { decisionId: 'id', eligible: 'eligible' },
      spec: { candidates: [{ name: 'it', policy: 'it' }] },
      policies: new Map([['it', made(BY_SCORES)]]),
    })
    const { candidates, dataset } = await evaluate(
      { ...given, openRuntime: async () => tanhRuntime(1) },
      memoryTables({ memory }),
    )
    expect(candidates[0].support?.meanWeight).toBeCloseTo(1, 12)
    expect(dataset.notes).toContain('candidate `it`: the Model `net` scored 200 rows here, by tanh 1.0')
  })

  it('stops where its Model gives no scores', async () => {
    const played = unlogged(await playModel(made(BY_SCORES), tanhRuntime(1), 20))
    const error = await judge(made(BY_SCORES), played, async () => brokenRuntime).catch((problem: unknown) => problem)
    expect(error).toBeInstanceOf(DapError)
    expect((error as DapError).message).toBe(
      'the Model `net` gives no scores to policy `p` (unreachable): connection refused',
    )
  })
})

describe('a Model as a reward model', () => {
  const WORTH: PolicySpec = {
    ...BY_SCORES,
    scorer: scorer({ type: 'heads', count: 2, link: 'identity' }, { name: 'worth' }),
  }
  const rewardModel = { policy: createPolicy('p', WORTH, DIGEST), trainedOn: `sha256:${'7'.repeat(64)}` }
  const spec: Partial<EvaluationSpec> = {
    estimators: ['dm', 'dr'],
    rewardModel: { type: 'model', model: 'worth' },
  }
  const heads = tanhRuntime(2)
  const open: EvaluationPlan['openRuntime'] = async policy =>
    policy.spec.scorer?.name === 'worth' ? heads : tanhRuntime(1)
  const candidate = made({
    ...BY_SCORES,
    algorithm: {
      ...BY_SCORES.algorithm,
      exploration: { type: 'squarecb', gamma: { scale: 4, exponent: 0 }, ties: 'random' },
    },
  })

  it('predicts what every action is worth', async () => {
    const played = await playModel(made(BY_SCORES), tanhRuntime(1), 250)
    const { candidates, dataset } = await judge(candidate, played, open, spec, { rewardModel })
    const score = createScoring(rewardModel.policy, tanhRuntime(2))
    let [dm, dr] = [0, 0]
    for (const { record, reward, pool } of played) {
      const context = record.context as Context
      const { pool: scored } = await score({ context, pool }, new AbortController().signal)
      const { numbers } = scored.outputs as Outputs
      const q = (id: string | null) => {
        const a = pool.ids.indexOf(id ?? '')
        return (numbers[2 * a] + numbers[2 * a + 1]) / 2
      }
      const indices = Int32Array.from(record.eligible, ({ id }) => pool.ids.indexOf(id))
      const pi = new Float64Array(pool.ids.length)
      candidate.probabilities(context, indices, indices.length, pi, record.decisionId, pool)
      const value = record.eligible.reduce((sum, { id }) => sum + pi[pool.ids.indexOf(id)] * q(id), 0)
      const [{ action, propensity }] = record.slots
      dm += value / 250
      dr +=
        (value + (pi[pool.ids.indexOf(action ?? '')] / Number(propensity)) * (Number(reward.value) - q(action))) / 250
    }
    const { estimates } = candidates[0]
    expect(estimates.map(({ value }) => value)).toEqual([expect.closeTo(dm, 10), expect.closeTo(dr, 10)])
    expect(dataset.notes).toContain('reward model: the Model `worth` scored 250 rows here, by tanh 1.0')
  })

  it('is refused on the rows that it was trained on, and doubted where nobody knows which those were', async () => {
    const played = await playModel(made(BY_SCORES), tanhRuntime(1), 120)
    const judged = (trainedOn: string | undefined) =>
      judge(candidate, played, open, spec, { rewardModel: { ...rewardModel, trainedOn } })
    const error = await judged('sha256:0').catch((problem: unknown) => problem)
    expect((error as DapError).message).toBe(
      'the reward model `worth` was trained on the very rows that it is to judge',
    )
    expect((error as DapError).hint).toContain('provenance.trainedOn')
    const reasons = async (trainedOn: string | undefined) =>
      (await judged(trainedOn)).candidates.map(each => each.reasons.join('; '))
    const doubt = 'nothing says what the reward model `worth` was trained on'
    const [it, logging] = await reasons(undefined)
    expect(it).toContain(doubt)
    expect(logging).not.toContain(doubt)
    expect((await reasons(rewardModel.trainedOn)).join()).not.toContain(doubt)
  })

  it('knows of every action that the log has', async () => {
    const played = await playModel(made(BY_SCORES), tanhRuntime(1), 60)
    const fewer = createPolicy('p', { ...WORTH, actions: [{ id: 'a', features: { price: 1 } }] }, DIGEST)
    const error = await judge(candidate, played, open, spec, { rewardModel: { ...rewardModel, policy: fewer } }).catch(
      (problem: unknown) => problem,
    )
    expect((error as DapError).message).toContain('knows of the actions of policy `p`, and `')
  })
})
