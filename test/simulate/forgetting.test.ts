import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec, HashSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { learnerOf } from '../../src/policy/algorithm.ts'
import { forgettingOf } from '../../src/policy/forgetting.ts'
import { fitHere, rowsAsOf } from '../../src/policy/passes.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { decisionLog } from '../../src/simulate/log.ts'
import { createMemory, START } from '../../src/simulate/memory.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { policySpec } from '../policy/support.ts'
import { everyOne, policy, scenario } from './support.ts'

const DAY = 86_400_000
const BETA: LearnerSpec = { type: 'beta', prior: { alpha: 1, beta: 1 } }
const FORGETFUL = { ...BETA, discount: { halfLife: '4d' } }
const WINDOWED = { ...BETA, window: '7d' }

const specOf = (learner: LearnerSpec, changes: Partial<PolicySpec> = {}) =>
  policySpec({
    actions: [{ id: 'a' }, { id: 'b' }, { id: 'c' }],
    algorithm: { learner, exploration: { type: 'thompson', scale: 1 } },
    ...changes,
  })

/** The mean reward of 60 days of 50 decisions where, every so many days, another action is the good one; `replications` times. */
function play(learner: LearnerSpec, everyDays: number, replications = 40): number[] {
  return Array.from({ length: replications }, (_, r) => {
    const player = createPolicy('p', specOf(learner), 'sha256:p')
    const memory = createMemory(player)
    const [world, chance] = [stream(r, 'world'), stream(r, 'chance')]
    const all = Int32Array.of(0, 1, 2)
    let sum = 0
    for (let t = 0; t < 3000; t++) {
      const time = START + (t * DAY) / 50
      memory?.advance(time)
      const action = player.sample(new Float64Array(0), all, 3, chance)
      const good = Math.floor(t / 50 / everyDays) % 3
      const reward = world.uniform() < (action === good ? 0.5 : 0.2) ? 1 : 0
      ;(memory ?? player.learner).learn(action, new Float64Array(0), reward)
      sum += reward
    }
    return sum / 3000
  })
}

/** The mean difference, and its standard error. */
function difference(one: readonly number[], other: readonly number[]): { mean: number; error: number } {
  const all = one.map((value, i) => value - other[i])
  const mean = all.reduce((sum, each) => sum + each, 0) / all.length
  const variance = all.reduce((sum, each) => sum + (each - mean) * (each - mean), 0) / (all.length - 1)
  return { mean, error: Math.sqrt(variance / all.length) }
}

describe('a learner that forgets', () => {
  it.each([FORGETFUL, WINDOWED])('earns more in a world that drifts: %o', learner => {
    const { mean, error } = difference(play(learner, 15), play(BETA, 15))
    // The good action is worth 0.3 more than the others, and nobody knows it at once.
    expect(mean - 4 * error).toBeGreaterThan(0.05)
    expect(mean + 4 * error).toBeLessThan(0.12)
  })

  it.each([FORGETFUL, WINDOWED])('costs little in a world that stays: %o', learner => {
    const { mean, error } = difference(play(learner, 1000), play(BETA, 1000))
    expect(mean - 4 * error).toBeGreaterThan(-0.02)
    expect(mean + 4 * error).toBeLessThan(0.005)
  })

  it('knows at any time what it would know of the log until then', () => {
    const learners: LearnerSpec[] = [
      FORGETFUL,
      { type: 'mean', window: '3d' },
      { type: 'linear', l2: 1, intercept: true, discount: { halfLife: '2d' } },
      { type: 'hybrid', l2: 1, intercept: true, window: '5d' },
    ]
    for (const learner of learners) {
      const features: PolicySpec['features'] =
        learner.type === 'hybrid' ? [{ field: 'level' }, { action: 'id' }] : [{ field: 'level' }]
      const algorithm: AlgorithmSpec = { learner, exploration: { type: 'thompson', scale: 1 } }
      const player = createPolicy('p', specOf(learner, { features, algorithm }), 'sha256:p')
      const { dimension, own } = player.features
      const memory = createMemory(player)!
      for (const start of [1, 2]) {
        memory.start()
        const rng = stream(start, 'memory')
        const statistics = createStatistics(algorithm, 3, dimension, own)
        const x = new Float64Array(dimension)
        for (let t = 0; t < 600; t++) {
          const time = START + (t * DAY) / 40
          memory.advance(time)
          const action = rng.uint32() % 3
          player.features.writeRow({ playerId: 'p', level: 1 + (rng.uint32() % 3) }, action, x)
          const reward = rng.uniform() < 0.4 ? 1 : 0
          memory.learn(action, x, reward)
          statistics.add(action, x, reward, 1, time)
          if (t % 37 !== 0) continue
          const merged = mergeStatistics(algorithm, 3, dimension, own)
          merged.merge(statistics.sums)
          const [is, wanted] = [player.learner.state(), merged.state()].map(state => Object.values(state).flat())
          for (const [i, number] of wanted.entries()) expect(is[i]).toBeCloseTo(number, 9)
        }
      }
    }
  })
})

describe('a learner that is fitted in passes and forgets', () => {
  const hash: HashSpec = { bits: 8, namespaces: ['context', 'action'], pairs: [['context', 'action']] }
  const fitted: readonly (readonly [LearnerSpec, PolicySpec['features']])[] = [
    [{ type: 'hashed', l2: 1 }, [{ hash }]],
    [{ type: 'logistic', l2: 1, intercept: true }, [{ field: 'level' }]],
    [{ type: 'logistic', l2: 1, intercept: true, shared: true }, [{ field: 'level' }, { action: 'id' }]],
  ]
  const ways = [{ discount: { halfLife: '4d' } }, { window: '5d' }]
  it.each(
    fitted.flatMap(([plain, features]) => ways.map(way => [{ ...plain, ...way } as LearnerSpec, features] as const)),
  )('is fitted to the log until then as each bucket begins: %o', (learner, features) => {
    const forgetting = forgettingOf(learner)!
    const algorithm: AlgorithmSpec = { learner, exploration: { type: 'greedy', ties: 'random' } }
    const player = createPolicy('p', specOf(learner, { features, algorithm }), 'sha256:p')
    const { dimension, hashing } = player.features
    const memory = createMemory(player)!
    const passes = learnerOf(learner).passes!(learner, 3, dimension, hashing)
    for (const start of [1, 2]) {
      memory.start()
      const rng = stream(start, 'memory')
      const statistics = createStatistics(algorithm, 3, dimension)
      const log = { x: [] as number[], action: [] as number[], reward: [] as number[], buckets: [] as number[] }
      const row = new Float64Array(dimension)
      let compared = 0
      for (let t = 0; t < 600; t++) {
        const time = START + (t * DAY) / 40
        const bucket = forgetting.bucketOf(time)
        const learnt = player.learner.state()
        memory.advance(time)
        if (t > 0 && bucket !== log.buckets.at(-1)) {
          const merged = mergeStatistics(algorithm, 3, dimension)
          merged.merge(statistics.sums)
          const { counts, scale } = merged.worth(time)
          const rows = {
            rows: t,
            x: Float64Array.from(log.x),
            action: Int32Array.from(log.action),
            reward: Float64Array.from(log.reward),
            weight: undefined,
          }
          const aged = rowsAsOf(rows, Float64Array.from(log.buckets), forgetting, bucket)
          const [is, wanted] = [player.learner.state(), fitHere(passes, [aged], counts, scale, learnt).state()]
          for (const [name, values] of Object.entries(wanted))
            for (const [i, number] of [values].flat().entries()) expect([is[name]].flat()[i]).toBeCloseTo(number, 6)
          compared++
        } else if (t > 0) expect(player.learner.state()).toEqual(learnt)
        const action = rng.uint32() % 3
        player.features.writeRow({ playerId: 'p', level: 1 + (rng.uint32() % 3) }, action, row)
        const reward = rng.uniform() < 0.4 ? 1 : 0
        memory.learn(action, row, reward)
        statistics.add(action, row, reward, 1, time)
        log.x.push(...row)
        log.action.push(action)
        log.reward.push(reward)
        log.buckets.push(bucket)
      }
      expect(compared).toBeGreaterThan(13)
    }
  })
})

describe('a scenario with a clock', () => {
  const played = (learner: LearnerSpec) =>
    policy('p', { algorithm: { learner, exploration: { type: 'thompson', scale: 1 } } })
  const plan = (learner: LearnerSpec, every?: string) => ({
    scenario: scenario({ policies: ['p'], horizon: 1500, replications: 2, every }),
    policies: [played(learner)],
  })

  it('lets a learner forget, the same in chunks of replications', () => {
    const rewards = (learner: LearnerSpec, every: string) => {
      const simulation = prepare(plan(learner, every))
      const [both, last] = [simulation.play(0, 2), simulation.play(1, 2)]
      return JSON.stringify([both, last])
    }
    expect(rewards(FORGETFUL, '6h')).toBe(rewards(FORGETFUL, '6h'))
    expect(rewards(FORGETFUL, '6h')).not.toBe(rewards(BETA, '6h'))
    // Within one bucket there is nothing to forget.
    expect(rewards(FORGETFUL, '1ms')).toBe(rewards(BETA, '1ms'))
    expect(rewards(BETA, '1ms')).toBe(rewards(BETA, '6h'))
  })

  it('has its times in the log, where the learner forgets, too', async () => {
    const decisions = async (learner: LearnerSpec, every?: string) =>
      (await everyOne(decisionLog(plan(learner, every), 'p', 'dap/0'))).flatMap(record =>
        'slots' in record ? [record] : [],
      )
    const log = await decisions(FORGETFUL, '6h')
    expect(log.slice(0, 3).map(({ ts }) => ts)).toEqual(
      [0, 6, 12].map(hours => new Date(START + hours * 3_600_000).toISOString()),
    )
    expect((await decisions(BETA)).at(1)?.ts).toBe(new Date(START + 1000).toISOString())
    const actions = (list: typeof log) => list.map(({ slots: [{ action }] }) => action)
    expect(actions(log)).not.toEqual(actions(await decisions(BETA, '6h')))
    expect(actions(await decisions(FORGETFUL, '1ms'))).toEqual(actions(await decisions(BETA, '1ms')))
  })
})
