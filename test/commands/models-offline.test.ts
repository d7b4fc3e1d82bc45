import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { modelRunner } from '../../src/adapters/models.ts'
import { simulationWorkers } from '../../src/adapters/node/workers.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import type { ReplayResult } from '../../src/log/records/replay.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { EvaluationResult, Evidence, SimulationResult, TrainingResult } from '../../src/results.ts'
import { merge } from '../../src/simulate/replicate.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { onDisk, put } from '../support/disk.ts'
import { fixture, sha256 } from '../support/models.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const FOUR = '[{ field: level }, { field: mood }, { action: price }, { action: size }]'

const model = (name: string, file: string, output: string, more = '') =>
  resource(
    'Model',
    name,
    `runtime: { type: onnx, file: models/${file}.onnx, digest: "${sha256(fixture(`${file}.onnx`))}" }
inputs: [{ name: x, features: ${FOUR} }]
output: ${output}
${more}`,
  )

const policy = (name: string, algorithm: string, features = '') =>
  resource(
    'Policy',
    name,
    `unit: playerId
context: { playerId: { type: string }, level: { type: integer }, mood: { type: number } }
actions: [{ id: a, features: { price: 1, size: 2 } }, { id: b, features: { price: 2.5, size: 1 } }, { id: c, features: { price: -1, size: 0 } }]
${features}
algorithm: ${algorithm}
guardrails: { minProbability: 0.05, fallback: a }
reward: { name: click, type: binary, wait: 1h, default: 0 }`,
  )

const SCORED =
  '{ learner: { type: model, model: worth }, exploration: { type: squarecb, gamma: { scale: 2, exponent: 0 } } }'

const FILES: Record<string, string | Buffer> = {
  'dap.yaml': resource('Project', 'shop', '{}'),
  'models/worth.yaml': model('worth', 'mlp', '{ type: value }'),
  'models/seen.yaml': model('seen', 'embedding', '{ type: embedding, width: 8 }'),
  'models/other.yaml': model('other', 'classifier', '{ type: probability, name: probabilities, column: 1 }'),
  'models/mlp.onnx': fixture('mlp.onnx'),
  'models/embedding.onnx': fixture('embedding.onnx'),
  'models/classifier.onnx': fixture('classifier.onnx'),
  'policies/scored.yaml': policy('scored', SCORED),
  'policies/line.yaml': policy(
    'line',
    '{ learner: { type: linear, shared: true }, exploration: { type: epsilon-greedy, epsilon: 0.2 } }',
    'features: [{ model: seen }]',
  ),
  'policies/otherwise.yaml': policy('otherwise', SCORED.replace('worth', 'other')),
  'scenarios/week.yaml': resource(
    'Scenario',
    'week',
    `world: { type: logistic, logits: { a: "0.5 * ctx.mood", b: "-0.5 * ctx.mood", c: "-1.0" } }
population: { units: 200, context: { level: { poisson: { mean: 3 } }, mood: { normal: { mean: 0, sd: 1 } } } }
policies: [scored, line, uniform]
horizon: 400
replications: 4
seed: 3`,
  ),
  'datasets/scored.yaml': resource(
    'Dataset',
    'scored',
    'files: [scored.jsonl]\nformat: dap\nactions: { policy: scored }',
  ),
  'datasets/line.yaml': resource('Dataset', 'line', 'files: [line.jsonl]\nformat: dap\nactions: { policy: line }'),
  'evaluations/it.yaml': resource(
    'Evaluation',
    'it',
    `dataset: scored
candidates: [{ name: same, policy: scored }, { name: other, policy: otherwise }, { name: logging, logging: true }]
estimators: [ips, dr]
rewardModel: { type: model, model: other }`,
  ),
}

async function jsonOf<T>(folder: string, ...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await dapIn(folder, ...words, '--json')
  expect({ stderr: stderr.replace(/^.*(replications|records|rows).*\n?/gm, ''), words, code }).toEqual({
    stderr: '',
    words,
    code: 0,
  })
  return JSON.parse(stdout) as T
}

/** A repository whose logs were made by a simulation. */
async function played(): Promise<string> {
  const folder = await onDisk(FILES)
  expect(await dapIn(folder, 'validate')).toMatchObject({ code: 0 })
  for (const name of ['scored', 'line']) {
    const words = ['simulate', 'week', '--replications', '2', '--log', `${name}.jsonl`, '--log-policy', name]
    await jsonOf(folder, ...words)
  }
  return folder
}

describe('what policies with a Model do offline', () => {
  it('simulates the same from any number of threads', async () => {
    const folder = await onDisk(FILES)
    const { policies } = await jsonOf<SimulationResult>(folder, 'simulate', 'week')
    expect(policies.map(({ name }) => name)).toEqual(['scored', 'line', 'uniform'])
    expect(await jsonOf<SimulationResult>(folder, 'simulate', 'week')).toMatchObject({ policies })

    const yaml = Object.keys(FILES).filter(path => path.endsWith('.yaml'))
    const repository = await loadRepository(
      yaml.map(path => ({ path, text: String(FILES[path]) })),
      { readModel: async () => ({ faults: [], cells: [] }) },
    )
    const plan = {
      scenario: repository.get('Scenario', 'week')!,
      policies: ['scored', 'line'].map(name => repository.get('Policy', name)!),
    }
    const fileOf = new Map([
      ['worth', 'mlp'],
      ['seen', 'embedding'],
    ])
    const files = new Map(
      plan.policies.map(({ spec }) => [spec.scorer!.digest, fixture(`${fileOf.get(spec.scorer!.name)}.onnx`)]),
    )
    const here = prepare(plan, ({ spec }) =>
      modelRunner().open(spec.scorer!, async () => files.get(spec.scorer!.digest)!),
    )
    const whole = await here.playAhead(0, 4)
    const play = simulationWorkers(new URL('../../src/worker.ts', import.meta.url), new AbortController().signal)
    expect(merge(await play(plan, { workers: 2, batch: 1, files }, () => {}))).toEqual(whole)
    const broken = new Map([...files.keys()].map(digest => [digest, Buffer.from('no model')]))
    await expect(play(plan, { workers: 2, batch: 1, files: broken }, () => {})).rejects.toThrow('digest')
  })

  it('logs what Models gave, learns from it, and judges by it', async () => {
    const folder = await played()
    for (const file of ['scored.jsonl', 'line.jsonl']) {
      const check = await dapIn(folder, 'log', 'check', file)
      expect(check.stdout).toContain('400 decisions, ')
      expect(check.stdout).toContain('the log passes')
      expect(check.stdout).not.toContain('fault')
    }
    const { dataset, estimates } = await jsonOf<TrainingResult>(folder, 'train', 'line', '--dataset', 'line')
    expect(dataset.rows + dataset.heldOut).toBe(400)
    expect(estimates?.dataset.notes.join()).not.toContain('scored')
    // The snapshot is of that model alone.
    const line = String(FILES['policies/line.yaml'])
    const other = String(FILES['models/seen.yaml']).replace('type: embedding', 'type: embedding, name: embedding')
    await put(folder, 'models/seen.yaml', other)
    const evaluation = resource(
      'Evaluation',
      'line',
      'dataset: line\ncandidates: [{ name: new, policy: line, snapshot: snapshots/line.json }]\nestimators: [ips]',
    )
    await put(folder, 'evaluations/line.yaml', evaluation)
    await put(folder, 'policies/line.yaml', line)
    const refused = await dapIn(folder, 'evaluate', 'line')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(
      /it was learnt from what the Model `seen` gave when it was [0-9a-f]{12}…, and now it is/,
    )

    const { candidates, dataset: judged } = await jsonOf<EvaluationResult>(folder, 'evaluate', 'it')
    expect(candidates[0].support?.meanWeight).toBe(1)
    expect(candidates[0].reasons.join()).toContain('nothing says what the reward model `other` was trained on')
    const here = judged.notes.filter(note => note.includes('scored'))
    expect(here).toEqual([
      expect.stringMatching(/^reward model: the Model `other` scored 400 rows here, by onnxruntime 1\./),
      expect.stringMatching(/^candidate `other`: the Model `other` scored 400 rows here, by onnxruntime 1\./),
    ])

    await put(
      folder,
      'models/other.yaml',
      `${FILES['models/other.yaml']}  provenance: { trainedOn: "sha256:${judged.digest}" }\n`,
    )
    const same = await dapIn(folder, 'evaluate', 'it')
    expect(same.code).not.toBe(0)
    expect(same.stderr).toContain('the reward model `other` was trained on the very rows that it is to judge')
  })

  it('knows a result for an old one when the file of a Model has changed', async () => {
    const folder = await played()
    await jsonOf(folder, 'evaluate', 'it', '--record')
    const evidence = JSON.parse(await readFile(join(folder, 'evidence/evaluation-it.json'), 'utf8')) as Evidence
    expect(evidence.inputs.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'evaluation it',
      'dataset scored',
      'data scored',
      'policy scored',
      'model-file models/mlp.onnx',
      'model other',
      'model-file models/classifier.onnx',
      'policy otherwise',
    ])
    const { stdout } = await dapIn(folder, 'graph')
    expect(stdout).toContain('└─ model other\n\ndataset line')
  })

  it('replays records from what they say, and asks the Model again', async () => {
    const folder = await played()
    const lines = (await readFile(join(folder, 'scored.jsonl'), 'utf8')).trim().split('\n')
    // It learns nothing, so that its decisions come out one by one.
    const records = lines.map(line => line.replace('"snapshot":"learning"', '"snapshot":null'))
    const write = (all: readonly string[]) => writeFile(join(folder, 'served.jsonl'), `${all.join('\n')}\n`)
    await write(records)
    const { scores, ...replayed } = await jsonOf<ReplayResult>(folder, 'decide', '--replay', 'served.jsonl')
    expect(replayed).toMatchObject({ replayed: 400, same: 400, unavailable: [], passed: true })
    expect(scores).toMatchObject({ decisions: 400, within: 400, unavailable: [] })
    expect(scores?.largestDifference).toBeLessThan(1e-6)

    // Digits that differ are not the decision's; those that matter do.
    const change = (line: string, by: number): string => {
      const record = JSON.parse(line) as DecisionRecord
      const outputs = record.model?.outputs?.map((x, i) => (i === 0 ? Math.fround(x + by) : x))
      return outputs === undefined ? line : JSON.stringify({ ...record, model: { ...record.model, outputs } })
    }
    await write([change(records[0], 0.01), ...records.slice(1)])
    const off = await dapIn(folder, 'decide', '--replay', 'served.jsonl')
    expect(off.code).toBe(1)
    expect(off.stdout).toContain('400 decisions recomputed, bit for bit: 1 differ')
    expect(off.stdout).toContain('scores of 400 decisions made again: 1 are not within tolerance')

    expect(await dapIn(folder, 'bundle', 'scored')).toMatchObject({ code: 0 })
    await put(folder, 'models/mlp.onnx', fixture('heads.onnx'))
    const { stdout } = await dapIn(folder, 'decide', '--replay', 'served.jsonl')
    expect(stdout).toContain('scores not made again of 400 decisions: the Model `worth` cannot be used')
  })

  it('says of records without what the Model gave that nobody can recompute them', async () => {
    const folder = await onDisk({
      ...FILES,
      'models/worth.yaml': model('worth', 'mlp', '{ type: value }', 'log: false'),
    })
    await jsonOf(folder, 'simulate', 'week', '--log', 'scored.jsonl', '--log-policy', 'scored')
    const text = await readFile(join(folder, 'scored.jsonl'), 'utf8')
    await writeFile(join(folder, 'scored.jsonl'), text.replaceAll('"snapshot":"learning"', '"snapshot":null'))
    const check = await dapIn(folder, 'log', 'check', 'scored.jsonl')
    expect(check.code).toBe(0)
    expect(check.stdout).toContain('400 decisions without what the Model gave (`log: false`)')
    const { code, stdout } = await dapIn(folder, 'decide', '--replay', 'scored.jsonl')
    expect(code).toBe(1)
    expect(stdout).toContain(
      'cannot recompute 400 decisions: what the Model `worth` gave was not logged (`log: false`)',
    )
  })
})
