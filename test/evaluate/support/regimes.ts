import { evaluate } from '../../../src/evaluate/evaluate.ts'
import type { EvaluationPlan } from '../../../src/evaluate/evaluation-plan.ts'
import type { EvaluationSpec, PolicySpec } from '../../../src/kinds.ts'
import { type RowPart, UNIT_GROUPS } from '../../../src/log/tables.ts'
import { type Rng, stream } from '../../../src/math/rng.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import type { EstimateResult, EvaluationResult } from '../../../src/results.ts'
import { train } from '../../../src/train/train.ts'
import { distributions, draw, normalised } from './chances.ts'
import { memoryTables } from './memory-tables.ts'
import { type PlanParts, plan } from './plan.ts'

/** A situation in which logs are judged whose truth is known. */
export interface Regime {
  readonly name: string
  /** Seeded logs of the whole experiment. */
  readonly logs: number
  /** Its logs are large: judge fewer where time is short. */
  readonly large?: true
  /** Intervals are to be at most so many times as wide as the oracle; undefined where nothing is asked. */
  readonly widest?: number
  /** The share of logs whose verdict must be `ok`. */
  readonly ok?: number
  /** One log; without effect all actions are worth the same. */
  log(rng: Rng, effect: boolean): Promise<Judged> | Judged
}

interface Judged {
  readonly result: Promise<EvaluationResult>
  /** What the candidate is worth, and how much more than what the log earned. */
  readonly value: number
  readonly lift: number
}

export const UNBIASED = ['ips', 'snips', 'dr', 'sndr'] as const

const ACTIONS = 10
const CONTEXTS = 20

type Grid = readonly (readonly number[])[]

const grid = (f: (x: number, a: number) => number, contexts = CONTEXTS, actions = ACTIONS): number[][] =>
  Array.from({ length: contexts }, (_, x) => Array.from({ length: actions }, (_, a) => f(x, a)))

function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.uniform())) * Math.cos(2 * Math.PI * rng.uniform())
}

/** Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000. */
function gamma(shape: number, rng: Rng): number {
  if (shape < 1) return gamma(shape + 1, rng) * Math.exp(Math.log(1 - rng.uniform()) / shape)
  const d = shape - 1 / 3
  for (;;) {
    const x = normal(rng)
    const cube = 1 + x / Math.sqrt(9 * d)
    const v = cube * cube * cube
    if (v > 0 && Math.log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

/** A share of this mean; the smaller the concentration, the more shares differ. */
function share(mean: number, concentration: number, rng: Rng): number {
  const a = gamma(mean * concentration, rng)
  return a / (a + gamma((1 - mean) * concentration, rng))
}

const MODEL: EvaluationSpec['rewardModel'] = { type: 'tabular', by: ['action'], prior: 10, crossFit: { folds: 2 } }

function judge(columns: Readonly<Record<string, readonly (number | string)[]>>, parts: PlanParts, tables = {}) {
  const { spec, ...rest } = parts
  return evaluate(
    plan({
      ...rest,
      spec: {
        estimators: UNBIASED,
        rewardModel: MODEL,
        interval: { method: 'cressie-read', level: 0.95 },
        ...spec,
      },
    }),
    memoryTables({ memory: columns, ...tables }),
  )
}

const BINARY = { actions: { range: [0, ACTIONS - 1] }, reward: { minimum: 0, maximum: 1 } } as const

/** Rows that are independent: a context, an action of the logging policy, a reward. */
function rowsOf(
  rows: number,
  logging: Grid,
  reward: (x: number, a: number) => number,
  rng: Rng,
): { x: number[]; action: number[]; propensity: number[]; reward: number[] } {
  const columns = { x: [] as number[], action: [] as number[], propensity: [] as number[], reward: [] as number[] }
  for (let i = 0; i < rows; i++) {
    const x = Math.floor(rng.uniform() * logging.length)
    const action = draw(rng, logging[x])
    columns.x.push(x)
    columns.action.push(action)
    columns.propensity.push(logging[x][action])
    columns.reward.push(reward(x, action))
  }
  return columns
}

const worthOf = (policy: Grid, mean: Grid) =>
  policy.reduce((sum, row, x) => sum + row.reduce((s, p, a) => s + p * mean[x][a], 0), 0) / policy.length

function tableOf(candidate: Grid, by: string) {
  const cells = candidate.flatMap((row, x) => row.map((probability, action) => ({ x, action, probability })))
  return {
    table: {
      [by]: cells.map(({ x }) => x),
      action: cells.map(({ action }) => action),
      probability: cells.map(({ probability }) => probability),
    },
  }
}

const TABLED: PlanParts = {
  tables: new Map([['new', 'table']]),
  spec: { candidates: [{ name: 'new', table: { file: 'table', by: ['slot'] } }] },
  mapping: { slot: 'x' },
  dataset: BINARY,
}

/** Independent rows, a candidate by slot. */
function independent(name: string, rows: number, low: number, high: number, spread: number, more = {}): Regime {
  const rng = stream(11, 'regime', name)
  const logging = distributions(rng, spread, CONTEXTS, ACTIONS)
  const candidate = distributions(rng, spread, CONTEXTS, ACTIONS)
  const mean = grid(() => low + (high - low) * rng.uniform())
  const none = mean.map(row => row.map(() => row[0]))
  const table = tableOf(candidate, 'slot')
  return {
    name,
    logs: 2000,
    widest: 1.6,
    ...more,
    log(rng, effect) {
      const world = effect ? mean : none
      const columns = rowsOf(rows, logging, (x, a) => (rng.uniform() < world[x][a] ? 1 : 0), rng)
      const value = worthOf(candidate, world)
      return { result: judge(columns, TABLED, table), value, lift: value - worthOf(logging, world) }
    },
  }
}

/** Revenue: few buy, and those who do spend unequally much. */
function revenue(name: string, sd: number): Regime {
  const rng = stream(11, 'regime', 'revenue')
  const logging = distributions(rng, 1, CONTEXTS, ACTIONS)
  const candidate = distributions(rng, 1, CONTEXTS, ACTIONS)
  const buys = grid(() => 0.05 + 0.15 * rng.uniform())
  const none = buys.map(row => row.map(() => row[0]))
  const spent = Math.exp(0.5 * sd * sd)
  return {
    name,
    logs: 2000,
    log(rng, effect) {
      const world = effect ? buys : none
      const spend = (x: number, a: number) => (rng.uniform() < world[x][a] ? Math.exp(sd * normal(rng)) : 0)
      const columns = rowsOf(2000, logging, spend, rng)
      const value = spent * worthOf(candidate, world)
      const parts = { ...TABLED, dataset: { actions: BINARY.actions } }
      return {
        result: judge(columns, parts, tableOf(candidate, 'slot')),
        value,
        lift: value - spent * worthOf(logging, world),
      }
    },
  }
}

/** The log's contexts are not slots: what is known of a row is the probability of its actions alone. */
function contextual(): Regime {
  const rng = stream(11, 'regime', 'contextual')
  const logging = distributions(rng, 1, CONTEXTS, ACTIONS)
  const candidate = distributions(rng, 1, CONTEXTS, ACTIONS)
  const mean = grid(() => 0.1 + 0.5 * rng.uniform())
  const none = mean.map(row => row.map(() => row[0]))
  return {
    name: 'contextual, without slots',
    logs: 2000,
    widest: 1.6,
    log(rng, effect) {
      const world = effect ? mean : none
      const columns = rowsOf(1000, logging, (x, a) => (rng.uniform() < world[x][a] ? 1 : 0), rng)
      const own = Array.from({ length: ACTIONS }, (_, a) => [`pi_${a}`, columns.x.map(x => candidate[x][a])])
      const value = worthOf(candidate, world)
      const result = judge(
        { ...columns, ...Object.fromEntries(own) },
        { dataset: BINARY, spec: { candidates: [{ name: 'new', probabilities: { columns: 'pi_{action}' } }] } },
      )
      return { result, value, lift: value - worthOf(logging, world) }
    },
  }
}

/** A bandit made the log: its propensities follow the rewards that it has met. */
function adaptive(): Regime {
  const actions = 4
  const mean = [0.2, 0.25, 0.3, 0.35]
  const pi = [0.1, 0.2, 0.2, 0.5]
  return {
    name: 'adaptive log',
    logs: 2000,
    log(rng, effect) {
      const worth = effect ? mean : mean.map(() => 0.25)
      const sums = Array.from({ length: actions }, () => ({ n: 2, r: 0.6 }))
      const columns = { x: [] as number[], action: [] as number[], propensity: [] as number[], reward: [] as number[] }
      let expected = 0
      const rows = 2000
      for (let i = 0; i < rows; i++) {
        const p = normalised(sums.map(({ n, r }) => Math.exp(8 * (r / n)))).map(share => 0.05 + 0.8 * share)
        const action = draw(rng, p)
        const reward = rng.uniform() < worth[action] ? 1 : 0
        sums[action].n++
        sums[action].r += reward
        expected += p.reduce((sum, each, a) => sum + each * worth[a], 0) / rows
        columns.x.push(0)
        columns.action.push(action)
        columns.propensity.push(p[action])
        columns.reward.push(reward)
      }
      const value = pi.reduce((sum, p, a) => sum + p * worth[a], 0)
      const parts: PlanParts = { ...TABLED, dataset: { actions: { range: [0, actions - 1] }, reward: BINARY.reward } }
      return { result: judge(columns, parts, tableOf([pi], 'slot')), value, lift: value - expected }
    },
  }
}

export interface Units {
  readonly name: string
  readonly units: number
  readonly each: number
  /** The action is drawn once a unit. */
  readonly once: boolean
  /** Mean reward, and how alike units are. */
  readonly mean: number
  readonly concentration: number
  /** Activity falls with the unit's rank to this power. */
  readonly zipf?: number
  readonly logging: readonly number[]
  readonly candidate: readonly number[]
  readonly more?: Partial<Regime>
}

/** Units with many decisions, each with a rate of rewards of its own. */
export function repeated(settings: Units): Regime {
  const { name, units, each, once, mean, concentration, zipf = 0, logging, candidate, more } = settings
  const ranks = Array.from({ length: units }, (_, u) => Math.exp(-zipf * Math.log(u + 1)))
  const scale = (units * each) / ranks.reduce((a, b) => a + b, 0)
  const sizes = ranks.map(rank => Math.max(1, Math.round(rank * scale)))
  return {
    name,
    logs: 2000,
    large: true,
    ...more,
    log(rng, effect) {
      const factors = logging.map((_, a) => (effect ? 1 + (0.5 * a) / (logging.length - 1) : 1))
      const columns = {
        x: [] as number[],
        unit: [] as string[],
        action: [] as number[],
        propensity: [] as number[],
        reward: [] as number[],
      }
      for (const [u, size] of sizes.entries()) {
        const rate = share(mean, concentration, rng)
        let action = draw(rng, logging)
        for (let i = 0; i < size; i++) {
          if (!once && i > 0) action = draw(rng, logging)
          columns.x.push(0)
          columns.unit.push(`unit-${u}`)
          columns.action.push(action)
          columns.propensity.push(logging[action])
          columns.reward.push(rng.uniform() < Math.min(1, rate * factors[action]) ? 1 : 0)
        }
      }
      const worth = (policy: readonly number[]) => mean * policy.reduce((sum, p, a) => sum + p * factors[a], 0)
      const value = worth(candidate)
      const parts: PlanParts = {
        ...TABLED,
        mapping: { slot: 'x', unit: 'unit' },
        dataset: { actions: { range: [0, logging.length - 1] }, reward: BINARY.reward },
      }
      return { result: judge(columns, parts, tableOf([candidate], 'slot')), value, lift: value - worth(logging) }
    },
  }
}

/** A policy learns from a log, and is judged on the units of it that it has not learnt from. */
function trained(): Regime {
  const rng = stream(11, 'regime', 'trained')
  const logging = distributions(rng, 1, CONTEXTS, ACTIONS)
  const mean = grid(() => 0.1 + 0.4 * rng.uniform())
  const none = mean.map(row => row.map(() => row[0]))
  const spec: PolicySpec = {
    context: Object.fromEntries(
      Array.from({ length: CONTEXTS }, (_, x) => [`is_${x}`, { type: 'number' as const, default: 0 }]),
    ),
    actions: Array.from({ length: ACTIONS }, (_, a) => ({ id: String(a) })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm: {
      learner: { type: 'linear', l2: 1, intercept: false },
      exploration: { type: 'softmax', temperature: 0.2 },
    },
    guardrails: { minProbability: 0.02 },
    reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
  }
  return {
    name: 'snapshot of the log',
    logs: 500,
    large: true,
    async log(rng, effect) {
      const world = effect ? mean : none
      const columns = rowsOf(6000, logging, (x, a) => (rng.uniform() < world[x][a] ? 1 : 0), rng)
      const indicators = Array.from({ length: CONTEXTS }, (_, k) => [`is_${k}`, columns.x.map(x => (x === k ? 1 : 0))])
      const memory = { ...columns, unit: columns.x.map((_, i) => `unit-${i}`), ...Object.fromEntries(indicators) }
      const mapping = { unit: 'unit' }
      const { dataset } = plan({ mapping, dataset: BINARY })
      const training = await train(
        { policy: { name: 'new', spec, digest: '' }, dataset, weights: 'none', heldOut: UNIT_GROUPS / 2 },
        memoryTables({ memory }),
      )
      const candidate = grid(() => 0).map((_, x) => decisions(training.policy, x))
      const value = worthOf(candidate, world)
      const judged = judgePart(training.policy, mapping, training.heldOutPart, memory)
      return { result: judged, value, lift: value - worthOf(logging, world) }
    },
  }
}

function decisions(policy: Policy, x: number): number[] {
  const eligible = Int32Array.from(policy.actions.keys())
  const out = new Float64Array(ACTIONS)
  const context = Object.fromEntries(Array.from({ length: CONTEXTS }, (_, k) => [`is_${k}`, k === x ? 1 : 0]))
  policy.probabilities(context, eligible, ACTIONS, out)
  return [...out]
}

function judgePart(
  policy: Policy,
  mapping: PlanParts['mapping'],
  part: RowPart,
  memory: Readonly<Record<string, readonly (number | string)[]>>,
): Promise<EvaluationResult> {
  const whole = plan({
    mapping,
    dataset: BINARY,
    policies: new Map([['new', policy]]),
    spec: {
      candidates: [{ name: 'new', policy: 'new' }],
      estimators: UNBIASED,
      rewardModel: MODEL,
      interval: { method: 'cressie-read', level: 0.95 },
    },
  })
  const judged: EvaluationPlan = { ...whole, dataset: { ...whole.dataset, part } }
  return evaluate(judged, memoryTables({ memory }))
}

const EVEN = [0.25, 0.25, 0.25, 0.25]
const UNEVEN = [0.1, 0.3, 0.3, 0.3]
const ONE_SIDED = [0.7, 0.1, 0.1, 0.1]

export const REGIMES: readonly Regime[] = [
  independent('moderate', 1000, 0.1, 0.6, 1, { ok: 0.9 }),
  independent('heavy weights', 1000, 0.1, 0.6, 3),
  independent('rare rewards', 2000, 0.002, 0.02, 1),
  independent('high base', 1000, 0.75, 0.95, 1, { ok: 0.9 }),
  independent('n = 200', 200, 0.1, 0.6, 1),
  revenue('revenue', 0.8),
  revenue('revenue, heavy tail', 1.5),
  contextual(),
  adaptive(),
  repeated({
    name: '300 units, drawn each time',
    units: 300,
    each: 40,
    once: false,
    mean: 0.1,
    concentration: 5,
    logging: EVEN,
    candidate: ONE_SIDED,
    more: { ok: 0.9, widest: 2 },
  }),
  repeated({
    name: '300 units, drawn once a unit',
    units: 300,
    each: 40,
    once: true,
    mean: 0.1,
    concentration: 5,
    logging: EVEN,
    candidate: ONE_SIDED,
    more: { ok: 0.9, widest: 2 },
  }),
  repeated({
    name: '1,000 units, drawn once, rare',
    units: 1000,
    each: 10,
    once: true,
    mean: 0.01,
    concentration: 20,
    logging: UNEVEN,
    candidate: ONE_SIDED,
  }),
  repeated({
    name: '1,000 units of zipf activity, drawn once',
    units: 1000,
    each: 10,
    once: true,
    mean: 0.1,
    concentration: 5,
    zipf: 1,
    logging: EVEN,
    candidate: ONE_SIDED,
  }),
  repeated({
    name: '2,000 units of mild zipf activity',
    units: 2000,
    each: 5,
    once: true,
    mean: 0.1,
    concentration: 5,
    zipf: 0.5,
    logging: EVEN,
    candidate: ONE_SIDED,
  }),
  trained(),
]

/** What became of the logs of a regime, by estimator. */
export interface Measured {
  readonly estimator: string
  /** Shares of logs whose interval covers the truth; given `ok`, too. */
  readonly value: number
  readonly lift: number
  readonly valueOk: number
  readonly liftOk: number
  /** Mean width over that of the central 95 % of what snips says. */
  readonly valueWidth: number
  readonly liftWidth: number
  /** Share of logs without an effect in which the gate `lift.lower > 0` passes. */
  readonly nullPasses: number
}

export interface Measurement {
  readonly logs: number
  /** Logs whose verdict is `ok`; and without an effect. */
  readonly ok: number
  readonly nullOk: number
  readonly estimators: readonly Measured[]
}

interface Tally {
  covered: number
  lifted: number
  coveredOk: number
  liftedOk: number
  width: number
  liftWidth: number
  passes: number
}

/** Judges `logs` seeded logs with an effect and as many without. */
export async function measure(regime: Regime, logs = regime.logs): Promise<Measurement> {
  const tallies = UNBIASED.map(
    (): Tally => ({ covered: 0, lifted: 0, coveredOk: 0, liftedOk: 0, width: 0, liftWidth: 0, passes: 0 }),
  )
  const values: number[] = []
  const lifts: number[] = []
  let ok = 0
  let nullOk = 0
  for (let seed = 0; seed < logs; seed++) {
    const judged = await regime.log(stream(seed, 'regime log', regime.name), true)
    const [candidate] = (await judged.result).candidates
    if (candidate.verdict === 'ok') ok++
    for (const [i, estimate] of candidate.estimates.entries()) {
      add(tallies[i], estimate, judged, candidate.verdict === 'ok')
      if (estimate.estimator !== 'snips' || estimate.value === null) continue
      values.push(estimate.value - judged.value)
      lifts.push((estimate.lift?.value ?? 0) - judged.lift)
    }
    const without = await regime.log(stream(seed, 'regime null', regime.name), false)
    const [same] = (await without.result).candidates
    if (same.verdict === 'ok') nullOk++
    for (const [i, { lift }] of same.estimates.entries()) {
      if (same.verdict !== 'refuse' && lift !== null && lift.lower > 0) tallies[i].passes++
    }
  }
  const oracle = spread(values)
  const liftOracle = spread(lifts)
  return {
    logs,
    ok,
    nullOk,
    estimators: tallies.map((tally, i) => ({
      estimator: UNBIASED[i],
      value: tally.covered / logs,
      lift: tally.lifted / logs,
      valueOk: tally.coveredOk / ok,
      liftOk: tally.liftedOk / ok,
      valueWidth: tally.width / logs / oracle,
      liftWidth: tally.liftWidth / logs / liftOracle,
      nullPasses: tally.passes / logs,
    })),
  }
}

function add(tally: Tally, { interval, lift }: EstimateResult, truth: Judged, ok: boolean): void {
  if (interval !== null) {
    tally.width += interval.upper - interval.lower
    if (interval.lower <= truth.value && truth.value <= interval.upper) {
      tally.covered++
      if (ok) tally.coveredOk++
    }
  }
  if (lift === null) return
  tally.liftWidth += lift.upper - lift.lower
  if (lift.lower <= truth.lift + 1e-12 && truth.lift - 1e-12 <= lift.upper) {
    tally.lifted++
    if (ok) tally.liftedOk++
  }
}

/** The width of the central 95 %. */
function spread(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = (p: number) => sorted[Math.round(p * (sorted.length - 1))]
  return at(0.975) - at(0.025)
}
