import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { simulationWorkers } from '../src/adapters/node/workers.ts'
import type { AlgorithmSpec, PolicySpec, ScenarioSpec, WorldSpec } from '../src/kinds.ts'
import { normal } from '../src/math/distributions.ts'
import { stream } from '../src/math/rng.ts'
import { prepare, type SimulationPlan } from '../src/simulate/simulate.ts'
import { median, verdict } from './measure.ts'

interface Case {
  readonly name: 'ucb1' | 'kl-ucb' | 'epsilon-greedy' | 'thompson' | 'linucb' | 'ranking' | 'ranking-shared'
  readonly algorithm: AlgorithmSpec
  /** Millions of decisions a second and core. */
  readonly budget: number
  readonly replications: number
}

const D = 10
const HORIZON = 10_000
const MEANS = [0.1, 0.05, 0.05, 0.05, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01]
const ACTIONS = MEANS.map((_, k) => `a${k}`)
const CASES: readonly Case[] = [
  {
    name: 'ucb1',
    algorithm: { learner: { type: 'mean' }, exploration: { type: 'ucb', factor: 2, ties: 'random' } },
    budget: 20,
    replications: 500,
  },
  {
    name: 'kl-ucb',
    algorithm: { learner: { type: 'mean' }, exploration: { type: 'kl-ucb', ties: 'random' } },
    budget: 2.5,
    replications: 50,
  },
  {
    name: 'epsilon-greedy',
    algorithm: { learner: { type: 'mean' }, exploration: { type: 'epsilon-greedy', epsilon: 0.1, ties: 'random' } },
    budget: 35,
    replications: 500,
  },
  {
    name: 'thompson',
    algorithm: {
      learner: { type: 'beta', prior: { alpha: 1, beta: 1 } },
      exploration: { type: 'thompson', scale: 1 },
    },
    budget: 2,
    replications: 50,
  },
  {
    name: 'linucb',
    algorithm: {
      learner: { type: 'linear', l2: 1, intercept: false },
      exploration: { type: 'ucb', alpha: 1, ties: 'random' },
    },
    budget: 1,
    replications: 30,
  },
  // Lists of 5 out of 20 actions, by position; over the counts of actions, and over a ridge of d = 8 that they share.
  {
    name: 'ranking',
    algorithm: { learner: { type: 'mean' }, exploration: { type: 'softmax', temperature: 0.05 } },
    budget: 0.05,
    replications: 20,
  },
  {
    name: 'ranking-shared',
    algorithm: {
      learner: { type: 'linear', l2: 1, shared: true, intercept: true },
      exploration: { type: 'softmax', temperature: 0.05 },
    },
    budget: 0.05,
    replications: 5,
  },
]

const LISTED = Array.from({ length: 20 }, (_, k) => `a${k}`)
const LIST_FEATURES = Array.from({ length: 7 }, (_, i) => `x${i}`)

/** Decisions a second of CPU time in a process of its own for each, beside the same loop in C, but for lists; K = 10. */
export async function bench(): Promise<void> {
  const binary = compileLoop()
  console.log('million decisions/s  dap      C        dap/C    budget')
  for (const [i, { name, budget, replications }] of CASES.entries()) {
    const own: number[] = []
    const loop: number[] = []
    for (let round = 0; round < 5; round++) {
      const seconds = execFileSync(process.execPath, [fileURLToPath(import.meta.url), String(i)], { encoding: 'utf8' })
      own.push((replications * HORIZON) / Number(seconds) / 1e6)
      if (binary === undefined || name.startsWith('ranking')) continue
      const [time] = execFileSync(binary, [name, String(replications), String(HORIZON)], { encoding: 'utf8' }).split(
        ' ',
      )
      loop.push((replications * HORIZON) / Number(time) / 1e6)
    }
    const rate = median(own)
    const c = loop.length > 0 ? median(loop) : Number.NaN
    const cells = [rate, c, rate / c].map(value => (Number.isNaN(value) ? '-' : value.toFixed(2)).padEnd(9)).join('')
    console.log(`${name.padEnd(21)}${cells}${budget} (${verdict(rate >= budget)})`)
  }
  await benchWorkers()
}

/** The wall time of UCB1 in one worker over that in two, in turn. */
async function benchWorkers(): Promise<void> {
  const play = simulationWorkers(new URL('../src/worker.ts', import.meta.url), new AbortController().signal)
  const plan = planOf({ ...CASES[0], replications: 4000 })
  const timed = async (workers: number) => {
    const start = performance.now()
    await play(plan, { workers, batch: 2, files: new Map() }, () => {})
    return performance.now() - start
  }
  const ratios: number[] = []
  for (let round = 0; round < 5; round++) ratios.push((await timed(1)) / (await timed(2)))
  const ratio = median(ratios)
  console.log(`two workers: ${ratio.toFixed(2)} × one (budget 1.8: ${verdict(ratio >= 1.8)})`)
}

/** The loop in C; undefined where there is no compiler. */
function compileLoop(): string | undefined {
  const binary = join(mkdtempSync(join(tmpdir(), 'dap-bench-')), 'simulate')
  const source = fileURLToPath(new URL('./simulate.c', import.meta.url))
  try {
    execFileSync('cc', ['-O3', '-march=native', source, '-o', binary, '-lm'])
    return binary
  } catch {
    console.log('no C compiler: nothing to compare with')
    return undefined
  }
}

/** CPU seconds of one case, after a tenth of it has warmed the code up. */
function time(each: Case): number {
  const simulation = prepare(planOf(each))
  simulation.play(0, Math.ceil(each.replications / 10))
  const start = process.cpuUsage()
  simulation.play(0, each.replications)
  return process.cpuUsage(start).user / 1e6
}

function planOf(each: Case): SimulationPlan {
  const { name, algorithm, replications } = each
  if (name.startsWith('ranking')) return listPlanOf(each)
  const linear = name === 'linucb'
  const rng = stream(1, 'theta')
  const theta = () => Array.from({ length: D }, () => normal(rng) / Math.sqrt(D))
  const world: WorldSpec = linear
    ? {
        type: 'linear',
        noise: 0.5,
        means: Object.fromEntries(ACTIONS.map(action => [action, { intercept: 0, weights: { x: theta() } }])),
      }
    : { type: 'bernoulli', means: Object.fromEntries(ACTIONS.map((action, k) => [action, MEANS[k]])) }
  const spec: ScenarioSpec = {
    world,
    population: linear ? { context: { x: { normal: { mean: 0, sd: Math.sqrt(1 / D) } } } } : undefined,
    policies: [name],
    horizon: HORIZON,
    replications,
    seed: 1,
    level: 0.95,
    expect: [],
  }
  const policy: PolicySpec = {
    context: linear ? { x: { type: 'array', items: { type: 'number' }, minItems: D, maxItems: D } } : {},
    actions: ACTIONS.map(id => ({ id })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm,
    guardrails: { minProbability: 0 },
    reward: { name: 'reward', type: 'number', wait: '1h', default: 0 },
  }
  return { scenario: { name: 'bench', spec, digest: '' }, policies: [{ name, spec: policy, digest: '' }] }
}

function listPlanOf({ name, algorithm, replications }: Case): SimulationPlan {
  const rng = stream(1, 'lists')
  const spec: ScenarioSpec = {
    world: {
      type: 'bernoulli',
      means: Object.fromEntries(LISTED.map(id => [id, rng.uniform() / 2])),
      click: { type: 'pbm', examination: [1, 0.6, 0.4, 0.3] },
    },
    policies: [name],
    horizon: HORIZON,
    replications,
    seed: 1,
    level: 0.95,
    expect: [],
  }
  const policy: PolicySpec = {
    context: {},
    actions: LISTED.map(id => ({
      id,
      features: Object.fromEntries(LIST_FEATURES.map(feature => [feature, rng.uniform()])),
    })),
    ...(name === 'ranking' ? {} : { features: LIST_FEATURES.map(action => ({ action })) }),
    decision: { type: 'ranking', slots: 5, uniform: 0.05 },
    mode: 'online',
    algorithm,
    guardrails: { minProbability: 0 },
    reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
  }
  return { scenario: { name: 'bench', spec, digest: '' }, policies: [{ name, spec: policy, digest: '' }] }
}

if (import.meta.filename === process.argv[1]) console.log(time(CASES[Number(process.argv[2])]))
