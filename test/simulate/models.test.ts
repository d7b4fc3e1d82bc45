import { describe, expect, it } from 'vitest'
import { DapError } from '../../src/errors.ts'
import type { PolicySpec, ScenarioSpec } from '../../src/kinds.ts'
import { checkAgainstPolicy, checkDecision } from '../../src/log/check/check-decision.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { replay } from '../../src/log/records/replay.ts'
import type { OpenRuntime } from '../../src/models/score-ahead.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { finish } from '../../src/simulate/finish.ts'
import { decisionLog } from '../../src/simulate/log.ts'
import type { Named } from '../../src/simulate/players.ts'
import { merge } from '../../src/simulate/replicate.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { BY_SCORES, brokenRuntime, NEURAL_LINEAR, scorer, tanhRuntime } from '../support/played-models.ts'
import { everyOne, policy, scenario } from './support.ts'

const named = (name: string, spec: PolicySpec): Named<PolicySpec> => ({ name, spec, digest: `sha256:${name}` })

const WORLD: Partial<ScenarioSpec> = {
  world: { type: 'logistic', logits: { a: '0.2 * ctx.x', b: '1.0 - ctx.x', c: '-0.5' } },
  population: { context: { x: { uniform: { min: 0, max: 1 } } } },
  horizon: 700,
  replications: 6,
}

const open: OpenRuntime = async ({ spec }) => tanhRuntime(spec.scorer?.output.type === 'embedding' ? 3 : 1)

const HELD = { ...BY_SCORES, guardrails: { minProbability: 0.02, holdout: { fraction: 0.3, action: 'a' } } }
const LIST: PolicySpec = { ...NEURAL_LINEAR, decision: { type: 'ranking', slots: 2, uniform: 0.1 } }

const both = [named('scores', BY_SCORES), named('line', NEURAL_LINEAR)]
const planOf = (policies: readonly Named<PolicySpec>[], spec: Partial<ScenarioSpec> = {}) => ({
  scenario: scenario({ ...WORLD, policies: policies.map(({ name }) => name), ...spec }),
  policies,
})

describe('a policy with a Model in a simulation', () => {
  it('is the same however replications are divided, and beside whomever it plays', async () => {
    const whole = await prepare(planOf(both), open).playAhead(0, 6)
    const simulation = prepare(planOf(both), open)
    const parts = [await simulation.playAhead(4, 6), await simulation.playAhead(0, 1), await simulation.playAhead(1, 4)]
    expect(merge(parts)).toEqual(whole)
    const alone = prepare(planOf([both[1]]), open)
    const [, line] = finish(simulation, parts).policies
    expect(finish(alone, [await alone.playAhead(0, 6)]).policies[0].reward).toEqual(line.reward)
  })

  it('is asked in batches, before the rounds are played', async () => {
    const runtime = tanhRuntime(1)
    await prepare(planOf([both[0]]), async () => runtime).playAhead(0, 2)
    // Ten checkpoints of 70 rounds.
    expect(runtime.calls).toBe(20)
    expect(runtime.rows).toBeGreaterThan(2 * 700 * 2)
    const list = tanhRuntime(1)
    const listwise = named('scores', { ...BY_SCORES, scorer: scorer({ type: 'value' }, { listwise: true }) })
    await prepare(planOf([listwise]), async () => list).playAhead(0, 1)
    expect(list.calls).toBe(700)
  })

  it('plays what it decides: scores that know the world earn more than chance', async () => {
    const knowing: OpenRuntime = async () => ({
      about: 'the world itself',
      run: async inputs => {
        const [{ rows, columns, data }] = [...inputs.values()]
        const y = Float32Array.from({ length: rows }, (_, r) => {
          const [x, price] = [Number(data[r * columns]), Number(data[r * columns + 1])]
          return price === 1 ? 0.2 * x : price === 2.5 ? 1 - x : -0.5
        })
        return new Map([['y', { rows, columns: 1, data: y }]])
      },
    })
    const plan = planOf([both[0]], { policies: ['scores', 'uniform', 'oracle'], replications: 10 })
    const simulation = prepare(plan, knowing)
    const [scores, uniform] = finish(simulation, [await simulation.playAhead(0, 10)]).policies
    expect(scores.regret.upper).toBeLessThan(uniform.regret.lower)
  })

  it('holds units out, and gives them what they get', async () => {
    const simulation = prepare(planOf([named('held', HELD)]), open)
    const [{ actionShares }] = finish(simulation, [await simulation.playAhead(0, 6)]).policies
    expect(actionShares['a']).toBeGreaterThan(0.3)
  })

  it('plays lists', async () => {
    const world = {
      type: 'logistic',
      logits: { a: '0.2 * ctx.x', b: '1.0 - ctx.x', c: '-0.5' },
      click: { type: 'pbm', examination: [1, 0.5] },
    }
    const spec = { world: world as unknown as ScenarioSpec['world'] }
    const simulation = prepare(planOf([named('list', LIST)], spec), open)
    const parts = [await simulation.playAhead(3, 6), await simulation.playAhead(0, 3)]
    const other = prepare(planOf([named('list', LIST)], spec), open)
    expect(merge(parts)).toEqual(await other.playAhead(0, 6))
    expect(finish(simulation, parts).policies[0].unservedShare ?? 0).toBe(0)
  })

  it('stops where its Model gives no scores', async () => {
    const simulation = prepare(planOf(both), async () => brokenRuntime)
    const error = await simulation.playAhead(0, 1).catch((problem: unknown) => problem)
    expect(error).toBeInstanceOf(DapError)
    expect((error as DapError).message).toContain('the Model `net` gives no scores to policy `scores` (unreachable)')
    const log = decisionLog(planOf(both), 'line', 'dap/0', { open: async () => brokenRuntime })
    await expect(everyOne(log)).rejects.toThrow('gives no scores to policy `line`')
  })

  it('has its log: every record comes out again, and has what the Model said', async () => {
    for (const { name, spec, digest } of [both[0], named('held', HELD)]) {
      const plan = planOf([named(name, spec)], { horizon: 600 })
      const records = await everyOne(decisionLog(plan, name, 'dap/0.0.0-test', { open }))
      const decisions = records.filter((record): record is DecisionRecord => 'slots' in record)
      expect(decisions.length).toBe(600)
      const played = createPolicy(name, spec, digest)
      for (const record of decisions) {
        expect(record.served.by === 'policy').toBe(record.model !== undefined)
        expect(record.model?.outputs?.length ?? record.eligible.length).toBe(record.eligible.length)
        // It learns nothing, so that each record comes out alone.
        expect(replay(played, record)).toEqual({ same: true, differences: [] })
        const faults: string[] = []
        checkDecision(record, (_, message) => faults.push(message))
        checkAgainstPolicy(record, played, (_, message) => faults.push(message))
        expect(faults).toEqual([])
      }
    }
  })

  it('is not played where nobody can ask it', () => {
    expect(() => prepare(planOf(both), open).play(0, 1)).toThrow(RangeError)
    const plain = policy('plain')
    const plan = { scenario: scenario({ policies: ['plain'] }), policies: [plain] }
    expect(() => prepare(plan).play(0, 1)).not.toThrow()
  })
})
