import type { EvaluationPlan } from '../src/evaluate/evaluation-plan.ts'
import type { Judging } from '../src/evaluate/judging.ts'
import { judgeLists } from '../src/evaluate/lists/judge-lists.ts'
import type { EvaluationSpec, PolicySpec } from '../src/kinds.ts'
import { actionFinder } from '../src/log/rows/actions.ts'
import { type DecisionLog, readDecisionLog } from '../src/log/rows/decision-log.ts'
import { logLayout, openLog } from '../src/log/rows/layout.ts'
import { nothingLeftOut } from '../src/log/rows/left-out.ts'
import { createRequests } from '../src/log/rows/row-reader.ts'
import { stream } from '../src/math/rng.ts'
import { createPolicy, type Policy } from '../src/policy/policy.ts'
import { draw } from '../test/evaluate/support/chances.ts'
import { type MemoryColumn, memoryTables } from '../test/evaluate/support/memory-tables.ts'
import { plan } from '../test/evaluate/support/plan.ts'
import { verdict } from './measure.ts'

const SLOTS = 5
const ACTIONS = Array.from({ length: 20 }, (_, a) => `a${a}`)
const ROWS = 8192
const ROUNDS = 5
const FOLDS = 8
const PLAIN = ['sips', 'rips', 'cascade-dr'] as const
const PLACED = [...PLAIN, 'iips'] as const

/**
 * Lists of 5 from 20 actions, by CPU time, so that what else the machine does counts less: reading the rows of a log, and folding them,
 * which is the estimators' own work; then with a policy, whose predictions are its own cost, and with exact marginals.
 */
export async function benchLists(): Promise<void> {
  const policy = mixture()
  const log = listLog(policy)
  const own = await measure(log, PLAIN, [
    { name: 'uniform', uniform: true },
    { name: 'logging', logging: true },
  ])
  const predicted = await measure(log, PLAIN, [{ name: 'new', policy: 'new' }], policy)
  const placed = await measure(log, PLACED, [{ name: 'new', policy: 'new' }], policy)
  const rate = (seconds: number) => ROWS / seconds
  const thousand = (seconds: number) => `${(rate(seconds) / 1000).toFixed(0)} k rows/s`
  console.log(`lists, reading: ${thousand(own.reading)}`)
  console.log(
    `lists, folding, uniform and logging: ${thousand(own.folding)} (budget 300: ${verdict(rate(own.folding) >= 300_000)})`,
  )
  console.log(`lists, folding, a policy: ${thousand(predicted.folding)}`)
  console.log(
    `lists, folding, a policy with marginals: ${thousand(placed.folding)} (budget 2: ${verdict(rate(placed.folding) >= 2000)})`,
  )
}

/** CPU seconds of a chunk, the least of all rounds: whatever else the machine does only adds to them. */
async function measure(
  log: Readonly<Record<string, MemoryColumn>>,
  estimators: EvaluationSpec['estimators'],
  candidates: EvaluationSpec['candidates'],
  policy?: Policy,
): Promise<{ readonly reading: number; readonly folding: number }> {
  const judged: EvaluationPlan = plan({
    dataset: { format: 'dap', mapping: undefined },
    spec: {
      candidates,
      estimators,
      rewardModel: { type: 'tabular', by: ['action', 'slot'], prior: 10, crossFit: { folds: 2, by: 'row' } },
    },
    policies: new Map(policy === undefined ? [] : [['new', policy]]),
  })
  const dataset = { ...judged.dataset, slots: SLOTS }
  const tables = memoryTables({ memory: log }, ROWS)
  const { source, columns } = await openLog(tables, dataset, [...judged.policies.values()])
  const requests = createRequests()
  const layout = logLayout(source, columns, requests)
  const space = { ids: ACTIONS, find: actionFinder(ACTIONS), eligible: true }
  const judging = judgeLists({
    plan: { ...judged, dataset },
    parts: { policies: judged.policies, tables: new Map() },
    space,
    columns,
    requests,
    unknown: false,
    originOf: () => ({ from: null, rows: 0 }) as never,
  })
  const reading: number[] = []
  const folding: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage()
    for await (const chunk of readDecisionLog(tables, layout, ACTIONS, nothingLeftOut())) {
      reading.push(seconds(start))
      for (let again = 0; again < FOLDS; again++) {
        const from = process.cpuUsage()
        fold(judging, chunk, folding.length === 0)
        folding.push(seconds(from))
      }
    }
  }
  return { reading: Math.min(...reading), folding: Math.min(...folding) }
}

function fold(judging: Judging, read: DecisionLog, first: boolean): void {
  const chunk = judging.rowsOf(read)
  const groups = judging.ofLog.groupsOf(chunk)
  const stratum = new Int32Array(chunk.rows)
  judging.strata.assign(chunk, [], groups, stratum)
  judging.ofLog.add(chunk, groups, stratum)
  judging.learn(chunk, stratum)
  if (first) judging.fit()
  judging.add(chunk, groups, stratum)
}

function seconds(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

/** Softmax over the mean rewards of actions. */
function mixture(): Policy {
  const spec: PolicySpec = {
    context: { x: { type: 'number' } },
    actions: ACTIONS.map(id => ({ id })),
    decision: { type: 'ranking', slots: SLOTS, uniform: 0.1 },
    mode: 'online',
    algorithm: {
      learner: { type: 'mean' } as PolicySpec['algorithm']['learner'],
      exploration: { type: 'softmax', temperature: 0.2 },
    },
    guardrails: { minProbability: 0.01 },
    reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
  }
  const policy = createPolicy('new', spec, '')
  const x = new Float64Array(policy.features.dimension)
  for (let a = 0; a < ACTIONS.length; a++) {
    for (let t = 0; t < 20; t++) policy.learner.learn(a, x, Number(t < a))
  }
  return policy
}

/** Of lists of this policy, as the columns of a `dap` log. */
function listLog(policy: Policy): Readonly<Record<string, MemoryColumn>> {
  const rng = stream(1, 'bench of lists')
  const every = Int32Array.from(ACTIONS.keys())
  const vector = new Float64Array(ACTIONS.length)
  const eligible = JSON.stringify(ACTIONS)
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const walk = policy.walk({ x: 0 }, every, ACTIONS.length)
    const slots = Array.from({ length: SLOTS }, (_, slot) => {
      walk.vector(vector)
      const action = draw(rng, vector)
      walk.take(action)
      return { slot, action: ACTIONS[action], propensity: vector[action], propensities: [...vector], floor: 0 }
    })
    const rewards = slots.map(() => Number(rng.uniform() < 0.1))
    return {
      decisionId: `d${i}`,
      unit: `u${i}`,
      context: '{"x":0}',
      action: slots[0].action,
      propensity: slots[0].propensity,
      propensities: JSON.stringify(slots[0].propensities),
      eligible,
      list: JSON.stringify({ design: 'mixture', uniform: 0.1, scores: [...(walk.scores ?? [])], slots }),
      servedBy: 'policy',
      ts: new Date(1.78e12 + 1000 * i).toISOString(),
      logProbability: 1,
      'context.x': 0,
      reward: rewards.reduce((sum, r) => sum + r, 0),
      ...Object.fromEntries(rewards.map((r, k) => [`reward ${k}`, r])),
    }
  })
  return Object.fromEntries(Object.keys(rows[0]).map(name => [name, rows.map(row => row[name as keyof typeof row])]))
}
