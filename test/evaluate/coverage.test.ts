import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { Rng } from '../../src/math/rng.ts'
import { stream } from '../../src/math/rng.ts'
import { distributions, draw } from './support/chances.ts'
import { memoryTables } from './support/memory-tables.ts'
import { plan } from './support/plan.ts'

const CONTEXTS = 20
const ACTIONS = 10
const ESTIMATORS = ['ips', 'snips', 'dm', 'dr'] as const
const LOGS = 300
/** Coverage may fall short of what is asked by two standard errors of a share of that many logs. */
const SLACK = 2 * Math.sqrt((0.06 * 0.94) / LOGS)

/** By context and action. */
interface World {
  readonly mean: readonly (readonly number[])[]
  readonly logging: readonly (readonly number[])[]
  readonly candidate: readonly (readonly number[])[]
}

interface Case {
  readonly name: string
  readonly rows: number
  readonly world: (rng: Rng) => World
}

const grid = (f: () => number) => Array.from({ length: CONTEXTS }, () => Array.from({ length: ACTIONS }, f))
function world(rng: Rng, low: number, high: number, spread: number): World {
  const logging = distributions(rng, spread, CONTEXTS, ACTIONS)
  return {
    mean: grid(() => low + (high - low) * rng.uniform()),
    logging,
    candidate: spread === 0 ? logging : distributions(rng, spread, CONTEXTS, ACTIONS),
  }
}

const CASES: readonly Case[] = [
  { name: 'moderate weights', rows: 1000, world: rng => world(rng, 0.1, 0.6, 1) },
  { name: 'equal weights', rows: 500, world: rng => world(rng, 0.1, 0.6, 0) },
  { name: 'equal weights and rare rewards', rows: 500, world: rng => world(rng, 0.002, 0.02, 0) },
  { name: 'nearly equal weights and rare rewards', rows: 500, world: rng => world(rng, 0.002, 0.02, 0.1) },
]

const value = (policy: World['mean'], mean: World['mean']) =>
  policy.reduce((sum, row, x) => sum + row.reduce((s, p, a) => s + p * mean[x][a], 0), 0) / CONTEXTS

function log({ mean, logging }: World, rows: number, rng: Rng) {
  const columns = { x: [] as number[], action: [] as number[], propensity: [] as number[], reward: [] as number[] }
  for (let i = 0; i < rows; i++) {
    const x = Math.floor(rng.uniform() * CONTEXTS)
    const action = draw(rng, logging[x])
    columns.x.push(x)
    columns.action.push(action)
    columns.propensity.push(logging[x][action])
    columns.reward.push(rng.uniform() < mean[x][action] ? 1 : 0)
  }
  return columns
}

async function measure({ name, rows, world }: Case) {
  const truth = world(stream(11, 'coverage world', name))
  const target = value(truth.candidate, truth.mean)
  const lift = target - value(truth.logging, truth.mean)
  const cells = truth.candidate.flatMap((row, x) => row.map((probability, action) => ({ x, action, probability })))
  const table = {
    slot: cells.map(({ x }) => x),
    action: cells.map(({ action }) => action),
    probability: cells.map(({ probability }) => probability),
  }
  const shares: Record<string, { value: number; lift: number; width: number }> = {}
  const estimates: Record<string, number[]> = {}
  for (let seed = 0; seed < LOGS; seed++) {
    const tables = memoryTables({ memory: log(truth, rows, stream(seed, 'coverage log', name)), table })
    for (const method of ['cressie-read', 'gaussian'] as const) {
      const result = await evaluate(
        plan({
          dataset: { actions: { range: [0, ACTIONS - 1] }, reward: { minimum: 0, maximum: 1 } },
          mapping: { slot: 'x' },
          tables: new Map([['new', 'table']]),
          spec: {
            candidates: [{ name: 'new', table: { file: 'table', by: ['slot'] } }],
            estimators: ESTIMATORS,
            rewardModel: { type: 'tabular', by: ['action'], prior: 10, crossFit: { folds: 2, by: 'row' } },
            interval: { method, level: 0.95 },
          },
        }),
        tables,
      )
      for (const estimate of result.candidates[0].estimates) {
        const key = `${estimate.estimator} ${method}`
        shares[key] ??= { value: 0, lift: 0, width: 0 }
        const { interval } = estimate
        if (interval && interval.lower <= target && target <= interval.upper) shares[key].value += 1 / LOGS
        if (interval) shares[key].width += (interval.upper - interval.lower) / LOGS
        const paired = estimate.lift
        if (paired && paired.lower <= lift + 1e-12 && lift - 1e-12 <= paired.upper) shares[key].lift += 1 / LOGS
        estimates[key] ??= []
        estimates[key].push(estimate.value as number)
      }
    }
  }
  return { shares, estimates, target }
}

function bias(values: readonly number[], target: number): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1)
  return Math.abs(mean - target) / Math.sqrt(variance / values.length)
}

describe(`95 % intervals over ${LOGS} logs of a world of known value`, () => {
  for (const setting of CASES) {
    it(`cover under ${setting.name}`, async () => {
      const { shares, estimates, target } = await measure(setting)
      const table = Object.entries(shares).map(
        ([key, { value, lift, width }]) =>
          `${key.padEnd(20)} value ${value.toFixed(3)} lift ${lift.toFixed(3)} width ${width.toFixed(4)}`,
      )
      console.log(`${setting.name}\n  ${table.join('\n  ')}`)
      for (const estimator of ['ips', 'snips', 'dr']) {
        const { value, lift } = shares[`${estimator} cressie-read`]
        expect(value, `${estimator}\n${table.join('\n')}`).toBeGreaterThan(0.94 - SLACK)
        expect(lift, `${estimator} lift\n${table.join('\n')}`).toBeGreaterThan(0.94 - SLACK)
      }
      expect(bias(estimates['ips gaussian'], target)).toBeLessThan(4)
      expect(bias(estimates['dr gaussian'], target)).toBeLessThan(4)
    })
  }
})
