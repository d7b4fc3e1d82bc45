import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { foldWorkers } from '../../src/adapters/node/workers.ts'
import { DapError } from '../../src/errors.ts'
import type { PolicySpec } from '../../src/kinds.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { learnerOf } from '../../src/policy/algorithm.ts'
import { fitHere } from '../../src/policy/passes.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { loadSnapshot, takeSnapshot } from '../../src/policy/snapshot.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { type Fold, foldHere } from '../../src/train/fold.ts'
import { train } from '../../src/train/train.ts'
import { linesOf, NEURAL_LINEAR, type Played, playModel, scorer, tanhRuntime } from '../support/played-models.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-embeddings-'))
})

const DIGEST = `sha256:${'0'.repeat(64)}`

let files = 0
async function learn(spec: PolicySpec, played: readonly Played[], fold?: Fold) {
  const path = join(folder, `${files++}.jsonl`)
  await writeFile(path, linesOf(played))
  const plan = {
    policy: { name: 'p', spec, digest: DIGEST },
    dataset: {
      name: 'log',
      spec: { files: [], format: 'dap', propensity: 'logged', reward: {}, quality: { badRows: 'fail' } },
      paths: [path],
      root: folder,
      offered: !Array.isArray(spec.actions),
    },
    weights: 'none',
    heldOut: 0,
  } as const
  return train(plan, openTables(), fold)
}

/** What a learner is told while the decisions are made. */
async function online(spec: PolicySpec, rounds: number) {
  const policy = createPolicy('p', spec, DIGEST)
  const { features, learner, kept } = policy
  const models = Math.max(1, kept.length)
  const statistics = createStatistics(spec.algorithm, models, features.dimension, features.own)
  const x = new Float64Array(features.dimension)
  const rows: { x: Float64Array; action: number; reward: number }[] = []
  const played = await playModel(policy, tanhRuntime(3), rounds, (pool, context, action, reward) => {
    features.writeRow(context, action, x, pool)
    learner.learn(action, x, reward)
    const model = kept.length === 0 ? 0 : action
    statistics.add(model, x, reward, 1)
    rows.push({ x: x.slice(), action, reward })
  })
  const merged = mergeStatistics(spec.algorithm, models, features.dimension, features.own)
  merged.merge(statistics.sums)
  return { policy, played, rows, merged }
}

const REQUESTED: PolicySpec = {
  ...NEURAL_LINEAR,
  actions: { from: 'request', max: 8, features: { price: { type: 'number' } } },
  guardrails: { minProbability: 0 },
}
const PER_ACTION: PolicySpec = {
  ...NEURAL_LINEAR,
  algorithm: { ...NEURAL_LINEAR.algorithm, learner: { type: 'linear', l2: 1, intercept: true } },
  scorer: scorer(undefined, { inputs: [{ name: 'x', dtype: 'float32', features: [{ field: 'x' }] }] }),
}
const HYBRID: PolicySpec = {
  ...NEURAL_LINEAR,
  features: [{ model: 'net' }, { field: 'x' }],
  algorithm: { ...NEURAL_LINEAR.algorithm, learner: { type: 'hybrid', l2: 1, intercept: true } },
}
const LOGISTIC: PolicySpec = {
  ...NEURAL_LINEAR,
  algorithm: { ...NEURAL_LINEAR.algorithm, learner: { type: 'logistic', l2: 1, intercept: true, shared: true } },
}

describe('training from what a Model gave', () => {
  it.each(Object.entries({ shared: NEURAL_LINEAR, request: REQUESTED, 'by action': PER_ACTION, hybrid: HYBRID }))(
    'learns, to the bit, what the learner was told when the decisions were made: %s',
    async (_, spec) => {
      const { policy, played, rows, merged } = await online(spec, 300)
      const seen: number[][] = []
      const training = await learn(spec, played, (plan, batches) =>
        foldHere(plan, batches, (_batch, _i, x) => {
          seen.push([...x])
          return undefined
        }),
      )
      expect(training.rows).toBe(rows.length)
      expect(training.notes).toEqual([])
      expect(seen).toEqual(rows.map(({ x }) => [...x]))
      expect(training.policy.learner.state()).toEqual(merged.state())
      // Learning one by one rounds elsewhere.
      const [row] = [rows[7].x]
      const matrix = Float64Array.from({ length: policy.features.rows * row.length }, (_, i) => row[i % row.length])
      for (const { learner } of [policy, training.policy]) learner.predict(matrix)
      for (let a = 0; a < policy.features.rows; a++) {
        expect(training.policy.learner.value[a]).toBeCloseTo(policy.learner.value[a], 9)
      }
    },
  )

  it('fits a learner in passes to the same rows', async () => {
    const { played, rows, policy, merged } = await online(LOGISTIC, 200)
    const { learner } = LOGISTIC.algorithm
    const { dimension, hashing } = policy.features
    const passes = learnerOf(learner).passes?.(learner, policy.kept.length, dimension, hashing)
    const x = Float64Array.from(rows.flatMap(row => [...row.x]))
    const action = Int32Array.from(rows, row => row.action)
    const reward = Float64Array.from(rows, row => row.reward)
    const { counts, scale } = merged.worth()
    const fit = fitHere(passes!, [{ rows: rows.length, x, action, reward, weight: undefined }], counts, scale)
    expect((await learn(LOGISTIC, played)).policy.learner.state()).toEqual(fit.state())
  })

  it('is the same from threads', async () => {
    const { played } = await online(NEURAL_LINEAR, 100)
    const entry = new URL('../../src/worker.ts', import.meta.url)
    const here = await learn(NEURAL_LINEAR, played)
    const there = await learn(NEURAL_LINEAR, played, foldWorkers(entry, 2, new AbortController().signal))
    expect(there.policy.learner.state()).toEqual(here.policy.learner.state())
  })

  it('leaves out and counts what it cannot learn from', async () => {
    const { played } = await online(NEURAL_LINEAR, 60)
    const changed = (i: number, change: Partial<NonNullable<DecisionRecord['model']>> | undefined): Played => ({
      ...played[i],
      record: { ...played[i].record, model: change && { ...played[i].record.model!, ...change } },
    })
    const other = `sha256:${'9'.repeat(64)}`
    const training = await learn(NEURAL_LINEAR, [
      ...Array.from({ length: 10 }, (_, i) => changed(i, { digest: other })),
      ...Array.from({ length: 5 }, (_, i) => changed(10 + i, { outputs: undefined })),
      ...Array.from({ length: 2 }, (_, i) => changed(15 + i, undefined)),
      ...played.slice(17),
    ])
    expect(training.rows).toBe(43)
    expect(training.notes).toEqual([
      '10 rows left out: what they have is of another Model than `net` is now',
      '5 rows left out: what the Model `net` gave was not logged',
      "2 rows left out: no Model was asked, and the policy's is `net`",
    ])
    const none = await learn(
      NEURAL_LINEAR,
      played.map((_, i) => changed(i, { digest: other })),
    ).catch((error: unknown) => error)
    expect(none).toBeInstanceOf(DapError)
    expect((none as DapError).message).toMatchInlineSnapshot(`
      "the log of Dataset \`log\` has no row to learn from
        60 rows left out: what they have is of another Model than \`net\` is now"
    `)
    expect((none as DapError).hint).toMatchInlineSnapshot(
      `"what a Model gives is learnt from decisions that this very Model was asked for, and that have it in their records"`,
    )
  })

  it('says that a record has not the numbers that its actions need', async () => {
    const { played } = await online(NEURAL_LINEAR, 3)
    const { record } = played[1]
    const model = { ...record.model!, outputs: record.model!.outputs!.slice(1) }
    const error = await learn(NEURAL_LINEAR, [played[0], { ...played[1], record: { ...record, model } }]).catch(
      (problem: unknown) => problem,
    )
    expect((error as DapError).message).toContain(
      'does not have the 3 numbers of the Model that each of its actions needs',
    )
  })

  it('makes a snapshot that no other Model takes', async () => {
    const { played } = await online(NEURAL_LINEAR, 50)
    const snapshot = takeSnapshot((await learn(NEURAL_LINEAR, played)).policy)
    const same = loadSnapshot(createPolicy('p', NEURAL_LINEAR, DIGEST), snapshot)
    expect(same).not.toHaveProperty('faults')
    const digest = `sha256:${'9'.repeat(64)}`
    const spec = { ...NEURAL_LINEAR, scorer: scorer(undefined, { digest }) }
    expect(loadSnapshot(createPolicy('p', spec, `sha256:${'1'.repeat(64)}`), snapshot)).toMatchInlineSnapshot(`
      {
        "faults": [
          "it was learnt from what the Model \`net\` gave when it was 333333333333…, and now it is 999999999999…",
        ],
      }
    `)
    expect(
      loadSnapshot(createPolicy('p', spec, `sha256:${'1'.repeat(64)}`), snapshot, { migrate: true }),
    ).toHaveProperty('faults')
  })
})
