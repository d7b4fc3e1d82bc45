import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { recordText } from '../../src/log/records/record-text.ts'
import { luceMarginals } from '../../src/math/plackett-luce.ts'
import { stream } from '../../src/math/rng.ts'
import { decide } from '../../src/policy/decide.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { EvaluationResult } from '../../src/results.ts'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const IDS = ['a', 'b', 'c', 'd', 'e', 'f']
const SHOWN = [0.3, 0.2, 0.2, 0.1, 0.1, 0.1]
const NEXT = [0.05, 0.1, 0.2, 0.25, 0.3, 0.1]
/** How often each is clicked in the first of three places; in the others by so much less. */
const CLICKED = [0.1, 0.2, 0.3, 0.4, 0.5, 0.1]
const EXAMINED = [1, 0.6, 0.3]

const probabilities = (weights: readonly number[]) => `{ ${IDS.map((id, a) => `${id}: ${weights[a]}`).join(', ')} }`
const policy = (name: string, weights: readonly number[], decision: string) =>
  resource(
    'Policy',
    name,
    `unit: player
context: { player: { type: string } }
actions: [${IDS.map(id => `{ id: ${id} }`).join(', ')}]
decision: ${decision}
algorithm: { learner: { type: fixed, probabilities: ${probabilities(weights)} } }
guardrails: { minProbability: 0 }
reward: { name: click, type: binary, wait: 1h }`,
  )
const RANKING = '{ type: ranking, slots: 3, uniform: 0.1 }'

const FILES = {
  'dap.yaml': resource('Project', 'shelf', 'projectId: abcdefgh23456789'),
  'policies/shown.yaml': policy('shown', SHOWN, RANKING),
  'policies/next.yaml': policy('next', NEXT, RANKING),
  'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs/*.jsonl]\nformat: dap\nactions: { policy: shown }'),
}
const evaluation = (spec: string) => resource('Evaluation', 'rows', `dataset: log\n${spec}`)
const ALL = `estimators: [sips, snsips, rips, snrips, iips, sniips, cascade-dr]
rewardModel: { type: tabular, by: [action, slot] }
candidates: [{ name: next, policy: next }, { name: even, uniform: true }, { name: log, logging: true }]
gates: [{ id: better, expr: "candidate('next').estimate('snrips').lift.lower > 0.0" }]`

const SPEC: PolicySpec = {
  unit: 'player',
  context: { player: { type: 'string' } },
  actions: IDS.map(id => ({ id })),
  decision: { type: 'ranking', slots: 3, uniform: 0.1 },
  algorithm: { learner: { type: 'fixed', probabilities: Object.fromEntries(IDS.map((id, a) => [id, SHOWN[a]])) } },
  guardrails: { minProbability: 0 },
  reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
  mode: 'online',
}

/** Lists as a server decides and logs them, and the clicks that came, each for its slot. */
function log(lists: number): string {
  const shown = createPolicy('shown', SPEC, 'sha256:shown')
  const rng = stream(11, 'clicks')
  const lines = Array.from({ length: lists }, (_, i) => {
    const decision = decide(shown, { decisionId: `d${i}`, context: { player: `p${i >> 1}` } })
    if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
    const record = recordText(decisionRecord(shown, decision, FACTS))
    const clicks = (decision.slots ?? []).flatMap(({ slot, action }) => {
      if (!(rng.uniform() < EXAMINED[slot] * CLICKED[IDS.indexOf(action ?? '')])) return []
      return [rewardText(i, slot)]
    })
    return [record, ...clicks]
  })
  return `${lines.flat().join('\n')}\n`
}

/** The same of requests that bring two to eight actions. */
function offeredLog(lists: number): string {
  const shown = createPolicy(
    'shown',
    {
      ...SPEC,
      actions: { from: 'request', max: 20, features: { price: { type: 'number' } } },
      features: [{ action: 'price' }],
      decision: { type: 'ranking', slots: 3, uniform: 0.2 },
      algorithm: {
        learner: { type: 'linear', shared: true, l2: 1, intercept: true },
        exploration: { type: 'softmax', temperature: 0.5 },
      },
    },
    'sha256:shown',
  )
  const rng = stream(12, 'clicks')
  const lines = Array.from({ length: lists }, (_, i) => {
    const actions = Array.from({ length: 2 + (i % 7) }, (_, j) => ({ id: `item-${i + j}`, features: { price: j } }))
    const pool = shown.offer({ actions })
    if ('faults' in pool) throw new Error(JSON.stringify(pool.faults))
    const decision = decide(shown, { decisionId: `d${i}`, context: { player: `p${i >> 1}` }, pool })
    if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
    const clicks = (decision.slots ?? []).flatMap(({ slot }) => (rng.uniform() < 0.3 ? [rewardText(i, slot)] : []))
    return [recordText(decisionRecord(shown, decision, FACTS, pool)), ...clicks]
  })
  return `${lines.flat().join('\n')}\n`
}

const TS = '2026-11-30T12:00:00.000Z'
const FACTS = {
  ts: TS,
  mode: 'online',
  snapshot: null,
  runtime: 'dap/test',
  latencyUs: 0,
  logProbability: 1,
} as const
const rewardText = (i: number, slot: number) =>
  JSON.stringify({ schema: 'dap.reward/v1', rewardId: `r${i}-${slot}`, decisionId: `d${i}`, slot, value: 1, ts: TS })

/** What lists of such weights earn. */
function worth(weights: readonly number[], uniform: number): number {
  const marginals = luceMarginals(weights, 3)
  return EXAMINED.reduce(
    (sum, looks, k) =>
      sum + CLICKED.reduce((s, q, a) => s + looks * q * ((1 - uniform) * marginals[6 * k + a] + uniform / 6), 0),
    0,
  )
}

describe('dap evaluate of lists', () => {
  it('reads the lists of a log and the rewards of their slots', async () => {
    const folder = await onDisk({ ...FILES, 'logs/a.jsonl': log(4000), 'evaluations/rows.yaml': evaluation(ALL) })
    const session = await dapIn(folder, 'evaluate', 'rows', '--json')
    const result = JSON.parse(session.stdout) as EvaluationResult
    const [next, even, logged] = result.candidates
    expect(session.code).toBe(0)
    expect(result.dataset).toMatchObject({ rows: 4000, dropped: 0 })
    for (const { value } of logged.estimates) expect(value).toBe(result.dataset.meanReward)
    expect(Math.abs(result.dataset.meanReward - worth(SHOWN, 0.1))).toBeLessThan(0.04)
    for (const [candidate, truth] of [
      [next, worth(NEXT, 0.1)],
      [even, worth([1, 1, 1, 1, 1, 1], 0)],
    ] as const) {
      expect(candidate.verdict).toBe('ok')
      for (const { estimator, value, interval } of candidate.estimates) {
        expect(Math.abs((value ?? Number.NaN) - truth), estimator).toBeLessThan(0.06)
        expect(interval?.lower).toBeLessThan(truth)
        expect(interval?.upper).toBeGreaterThan(truth)
      }
    }
    expect((await dapIn(folder, 'evaluate', 'rows')).stdout).toMatch(/next +ok +sips/)
  })

  it('judges lists of what requests brought, by the place that each action had among them', async () => {
    const spec = `unit: player
context: { player: { type: string } }
actions: { from: request, max: 20, features: { price: { type: number } } }
features: [{ action: price }]
decision: { type: ranking, slots: 3, uniform: 0.2 }
algorithm: { learner: { type: linear, shared: true }, exploration: { type: softmax, temperature: 0.5 } }
guardrails: { minProbability: 0 }
reward: { name: click, type: binary, wait: 1h }`
    const files = {
      ...FILES,
      'policies/shown.yaml': resource('Policy', 'shown', spec),
      'evaluations/rows.yaml': evaluation(
        'estimators: [sips, rips, iips, pi]\ncandidates: [{ name: same, policy: shown }, { name: even, uniform: true }, { name: log, logging: true }]',
      ),
    }
    const { 'policies/next.yaml': _, ...own } = files
    const folder = await onDisk({ ...own, 'logs/a.jsonl': offeredLog(1500) })
    const session = await dapIn(folder, 'evaluate', 'rows', '--json')
    const { candidates, dataset } = JSON.parse(session.stdout) as EvaluationResult
    expect(dataset).toMatchObject({ rows: 1500, dropped: 0 })
    // A learner that knows nothing makes all lists alike: its own are those of chance.
    for (const { estimates } of candidates) {
      for (const { estimator, value } of estimates) expect(value, estimator).toBeCloseTo(dataset.meanReward, 9)
    }
  })

  it('closes the loop: what was simulated teaches, and is judged on units that it did not learn', async () => {
    const { 'policies/next.yaml': _, ...files } = FILES
    const folder = await onDisk({
      ...files,
      'policies/shown.yaml': policy('shown', SHOWN, RANKING).replace(
        /learner: .*/,
        'learner: { type: mean }, exploration: { type: softmax, temperature: 0.1 } }',
      ),
      'scenarios/week.yaml': resource(
        'Scenario',
        'week',
        `world: { type: bernoulli, click: { type: cascade }, means: ${probabilities(CLICKED)} }
policies: [shown]
population: { units: 1000 }
horizon: 5000
replications: 2`,
      ),
      'evaluations/rows.yaml': evaluation(
        'estimators: [snrips, iips]\ncandidates: [{ name: new, policy: shown, snapshot: snapshots/shown.json }, { name: log, logging: true }]',
      ),
    })
    expect((await dapIn(folder, 'simulate', 'week', '--log', 'logs/week.jsonl')).code).toBe(0)
    const trained = await dapIn(folder, 'train', 'shown', '--until', '2027-06-01T00:00:00Z')
    expect(`${trained.stderr}${trained.stdout}`).toMatch(/new +(ok|caution) +snsips +0\.\d+/)
    const result = JSON.parse((await dapIn(folder, 'evaluate', 'rows', '--json')).stdout) as EvaluationResult
    const [learnt] = result.candidates
    expect(learnt.verdict).not.toBe('refuse')
    expect(learnt.learntFrom).toBe('this-log')
    expect(result.dataset.judgedOn).toMatchObject({ heldOut: { by: 'unit' } })
    expect(result.dataset.units.known).toBe(true)
  })

  it('does not take lists for decisions, nor decisions for lists', async () => {
    const says = async (spec: string, more: Readonly<Record<string, string>> = {}) => {
      const folder = await onDisk({
        ...FILES,
        ...more,
        'logs/a.jsonl': log(3),
        'evaluations/rows.yaml': evaluation(spec),
      })
      const { stdout } = await dapIn(folder, 'validate', '--format', 'json')
      return (JSON.parse(stdout) as { diagnostics: { line: number; message: string; hint: string }[] }).diagnostics.map(
        ({ line, message, hint }) => `${line}: ${message} | ${hint}`,
      )
    }
    const single = { 'policies/one.yaml': policy('one', SHOWN, '{ type: single }') }
    expect(await says('candidates: [{ name: next, policy: next }]')).toMatchInlineSnapshot(`
      [
        "6: policy \`next\` makes lists, and the estimators are of decisions for one action | lists have estimators of their own: sips, snsips, rips, snrips, iips, sniips, cascade-dr, pi",
      ]
    `)
    expect(await says('candidates: [{ name: even, uniform: true }]')).toMatchInlineSnapshot(`
      [
        "5: the Dataset is of lists, and the estimators are of decisions for one action | lists have estimators of their own: sips, snsips, rips, snrips, iips, sniips, cascade-dr, pi",
      ]
    `)
    expect(await says('estimators: [sips, ips]\ncandidates: [{ name: next, policy: next }]')).toMatchInlineSnapshot(`
      [
        "6: \`ips\` is of decisions for one action, and others here are of lists | lists have estimators of their own: sips, snsips, rips, snrips, iips, sniips, cascade-dr, pi",
      ]
    `)
    expect(await says('estimators: [sips]\ncandidates: [{ name: one, policy: one }]', single)).toMatchInlineSnapshot(`
      [
        "7: policy \`one\` makes no lists, and \`sips\` is of lists | judge it by \`ips\`, \`snips\` or \`dr\`, or make it \`decision: { type: ranking }\`",
      ]
    `)
    expect(await says('estimators: [sips]\ncandidates: [{ name: a, fixed: a }]')).toMatchInlineSnapshot(`
      [
        "7: \`a\` says nothing of lists | of lists a \`policy\`, \`uniform: true\` and \`logging: true\` can be judged",
      ]
    `)
    expect(await says('estimators: [cascade-dr]\ncandidates: [{ name: even, uniform: true }]')).toMatchInlineSnapshot(`
      [
        "6: the estimator \`cascade-dr\` needs a tabular \`rewardModel\` | for example \`rewardModel: { type: tabular, by: [action, slot] }\`",
      ]
    `)
    expect(await says('estimators: [mipz]\ncandidates: [{ name: even, uniform: true }]')).toMatchInlineSnapshot(`
      [
        "5: the Dataset is of lists, and the estimators are of decisions for one action | lists have estimators of their own: sips, snsips, rips, snrips, iips, sniips, cascade-dr, pi",
        "6: \`estimators[0]\` must be one of \`ips\`, \`snips\`, \`dm\`, \`dr\`, \`sndr\`, \`switch-dr\`, \`clipped-ips\`, \`clipped-dr\`, \`mips\`, \`replay\`, \`sips\`, \`snsips\`, \`rips\`, \`snrips\`, \`iips\`, \`sniips\`, \`cascade-dr\`, \`pi\`, got the string \`mipz\` | did you mean \`mips\`?",
      ]
    `)
    expect(
      await says('estimators: [{ type: rips, lambda: 3 }]\ncandidates: [{ name: even, uniform: true }]'),
    ).toMatchInlineSnapshot(`
      [
        "6: the estimator \`rips\` has no \`lambda\` | \`switch-dr\`, \`clipped-ips\`, \`clipped-dr\` have one",
      ]
    `)
  })
})
