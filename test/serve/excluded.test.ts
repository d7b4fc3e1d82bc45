import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionSpec, AlgorithmSpec, PolicySpec } from '../../src/kinds.ts'
import { createLogCheck, type KnownPolicy, type LogCheckResult } from '../../src/log/check/check.ts'
import type { DecisionRecord, Mode } from '../../src/log/records/records.ts'
import { replay } from '../../src/log/records/replay.ts'
import type { Context, Policy } from '../../src/policy/policy.ts'
import { listed } from '../../src/policy/pool.ts'
import type { DecideAnswer, DecideRequest } from '../../src/serve/api.ts'
import { mutations } from '../support/mutations.ts'
import { bench, served } from './support.ts'

const IDS = ['a', 'b', 'c', 'd'] as const

/** Rules that hold for some, for nobody and for everybody, and one that has no value where `age` is 12. */
const RULES = [
  'ctx.age >= 16',
  'ctx.age < 16',
  "ctx.country == 'se'",
  'false',
  'true',
  '10 / (ctx.age - 12) < 2',
] as const

/** The rules again, by hand: what cannot be told is not allowed. */
const MEANING: Readonly<Record<string, (age: number, country: string) => boolean>> = {
  'ctx.age >= 16': age => age >= 16,
  'ctx.age < 16': age => age < 16,
  "ctx.country == 'se'": (_, country) => country === 'se',
  false: () => false,
  true: () => true,
  '10 / (ctx.age - 12) < 2': age => age !== 12 && Math.trunc(10 / (age - 12)) < 2,
}

/** Policies as older daps took them: rules on any action, whatever names it as fallback or holdout. */
const specs: fc.Arbitrary<PolicySpec> = fc
  .record({
    rules: fc.array(fc.option(fc.constantFrom(...RULES), { nil: undefined }), { minLength: 1, maxLength: 4 }),
    fallback: fc.option(fc.nat(3), { nil: null }),
    named: fc.boolean(),
    holdout: fc.option(fc.tuple(fc.constantFrom(0.5, 0.999), fc.nat(3)), { nil: undefined, freq: 2 }),
    algorithm: fc.constantFrom<AlgorithmSpec>(
      { learner: { type: 'uniform' } },
      { learner: { type: 'beta', prior: { alpha: 1, beta: 1 } }, exploration: { type: 'thompson', scale: 1 } },
      { learner: { type: 'fixed', probabilities: { a: 1 } } },
      { learner: { type: 'linear', l2: 1, intercept: true }, exploration: { type: 'greedy', ties: 'random' } },
    ),
    // At −1 and below it has no value: the transform throws.
    transform: fc.boolean(),
    mode: fc.constantFrom<Mode>('online', 'online', 'shadow', 'apprentice', 'logging-only'),
    minProbability: fc.constantFrom(0, 0.1),
  })
  .map(({ rules, fallback, named, holdout, algorithm, transform, mode, minProbability }) => {
    const actions = rules.map(
      (eligible, i): ActionSpec => (eligible === undefined ? { id: IDS[i] } : { id: IDS[i], eligible }),
    )
    const idOf = (i: number) => actions[i % actions.length].id
    return {
      unit: 'player',
      context: {
        player: { type: 'string' },
        age: { type: 'integer' },
        country: { type: 'string', enum: ['se', 'de'] },
      },
      ...(transform ? { features: [{ field: 'age', transform: 'log1p' }] } : {}),
      actions,
      decision: { type: 'single' },
      mode,
      algorithm,
      guardrails: {
        minProbability,
        ...(named ? { fallback: fallback === null ? null : idOf(fallback) } : {}),
        ...(holdout === undefined ? {} : { holdout: { fraction: holdout[0], action: idOf(holdout[1]) } }),
      },
      reward: { name: 'purchase', type: 'binary', wait: '1h', default: 0 },
    } satisfies PolicySpec
  })

const requests = fc.array(
  fc.record({
    context: fc.record({
      player: fc.constantFrom('p1', 'p2', 'p3', 'p4'),
      age: fc.constantFrom(-5, 3, 12, 13, 16, 40),
      country: fc.constantFrom('se', 'de'),
    }),
    baseline: fc.constantFrom('a', 'b', 'c', 'd', 'stranger'),
    killed: fc.boolean(),
    late: fc.boolean(),
    explain: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
)

type Asked = typeof requests extends fc.Arbitrary<infer T> ? T : never

interface Served {
  readonly policy: Policy
  readonly request: DecideRequest
  readonly answer: DecideAnswer
  readonly record: DecisionRecord
}

/** What a server of this policy answers and logs. */
function serveAll(spec: PolicySpec, asked: Asked): Served[] {
  const one = served(spec)
  const self = bench([one])
  return asked.map(({ context, baseline, killed, late, explain }, i) => {
    self.killed.clear()
    if (killed) self.killed.add('shop-offer')
    self.time += 2000
    const request: DecideRequest = { decisionId: `d${i}`, context, baseline, explain }
    const answer = self.engine.decide(request, late ? self.time - 1500 : self.time)
    if ('status' in answer) throw new Error(JSON.stringify(answer))
    return { policy: one.policy, request, answer, record: self.decisions[i] }
  })
}

/** The actions that the rules let be taken, by the rules as written here. */
function allowed({ actions }: Pick<PolicySpec, 'actions'>, { age, country }: Context): readonly string[] {
  return listed(actions)
    .filter(({ eligible }) => eligible === undefined || MEANING[eligible](age as number, country as string))
    .map(({ id }) => id)
}

function check(policy: Policy | undefined, ...records: readonly object[]): LogCheckResult {
  const known = new Map<string, KnownPolicy>(policy && [[policy.digest, { policy, wait: 3_600_000 }]])
  const log = createLogCheck(known)
  for (const [i, record] of records.entries()) log.line('log.jsonl', i + 1, JSON.stringify(record))
  log.endOfFile()
  return log.finish()
}

/** What a record says that dap served: a baseline is served by its caller. */
const servedByDap = ({ served: { by }, slots: [{ action, baseline }] }: DecisionRecord): string | null =>
  by === 'override' && baseline !== undefined ? null : action

describe('what the rules exclude', () => {
  it('is never served, whatever asks for it: rules, holdouts, kill switches, time-outs, failures, baselines', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(specs, requests, (spec, asked) => {
        for (const { policy, request, answer, record } of serveAll(spec, asked)) {
          const may = allowed(spec, record.context as Context)
          const { servedBy, action } = answer
          const kind = `${spec.mode} ${servedBy}`
          seen.set(kind, (seen.get(kind) ?? 0) + 1)
          if (servedBy === 'override') {
            expect(spec.mode).not.toBe('online')
            expect(action).toBe(request.baseline)
            expect(answer.reason?.endsWith('the rules exclude the baseline')).toBe(!may.includes(action as string))
          } else if (servedBy === 'none') {
            expect([action, answer.propensity, answer.features]).toEqual([null, null, undefined])
          } else expect(may).toContain(action)
          // The record says the same, and what dap would have done beside a baseline is allowed, too.
          const [slot] = record.slots
          expect(record.served.by).toBe(servedBy)
          expect(record.eligible.map(({ id }) => id)).toEqual(may)
          if (slot.action !== null) expect(may).toContain(slot.action)
          else expect([slot.propensity, slot.propensities]).toEqual([null, []])
          // And where it is nothing, there was no fallback that the rules let be served.
          const { fallback = 'a' } = spec.guardrails
          if (servedBy === 'none') expect(may).not.toContain(fallback)
          expect(replay(policy, record).differences).toEqual([])
          if (request.explain) {
            const excluded = answer.explanation?.actions.filter(({ excludedBy }) => excludedBy !== undefined)
            expect(excluded?.map(({ id }) => id)).toEqual(
              listed(spec.actions)
                .map(({ id }) => id)
                .filter(id => !may.includes(id)),
            )
          }
        }
      }),
      { numRuns: 2000 },
    )
    for (const kind of ['policy', 'holdout', 'fallback', 'none']) expect(seen.get(`online ${kind}`)).toBeGreaterThan(50)
    for (const mode of ['shadow', 'apprentice', 'logging-only']) {
      for (const kind of ['override', 'fallback', 'none']) expect(seen.get(`${mode} ${kind}`)).toBeGreaterThan(50)
    }
  })

  it('makes `log check` warn of a baseline, and of nothing else that the engine does', () => {
    fc.assert(
      fc.property(specs, requests, (spec, asked) => {
        const all = serveAll(spec, asked)
        const records = all.map(({ record }) => record)
        const baselines = all.filter(
          ({ answer, record }) =>
            answer.servedBy === 'override' &&
            !allowed(spec, record.context as Context).includes(answer.action as string),
        ).length
        for (const policy of [all[0].policy, undefined]) {
          const { faults, passed, unserved } = check(policy, ...records)
          expect(passed).toBe(true)
          expect(faults.map(({ code, count }) => [code, count])).toEqual(baselines > 0 ? [['baseline', baselines]] : [])
          expect(unserved).toBe(records.filter(({ served }) => served.by === 'none').length)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is in no record that `log check` passes, however a record was changed', () => {
    let forged = 0
    let caught = 0
    const changed = fc.tuple(specs, requests).chain(([spec, asked]) => {
      const [{ policy, record }] = serveAll(spec, asked)
      const ids = listed(spec.actions).map(({ id }) => id)
      const other = fc.constantFrom(...ids).map(id => forge(record, id))
      return fc.record({
        spec: fc.constant(spec),
        policy: fc.constant(policy),
        record: fc.oneof(other, other.chain(mutations), mutations(record)),
      })
    })
    fc.assert(
      fc.property(changed, ({ spec, policy, record }) => {
        const { passed } = check(policy, record as object)
        const { excluded, policy: who, context } = record as DecisionRecord
        if (!passed) {
          caught++
          return
        }
        const action = servedByDap(record as DecisionRecord)
        if (action === null) return
        forged++
        expect(excluded.map(({ id }) => id)).not.toContain(action)
        if (who.digest === policy.digest) expect(allowed(spec, context as Context)).toContain(action)
      }),
      { numRuns: 3000 },
    )
    expect(Math.min(forged, caught)).toBeGreaterThan(300)
  })
})

/** The record with this action for certain, as a careful forger would write it: eligible, drawn and served by the fallback. */
function forge(record: DecisionRecord, id: string): DecisionRecord {
  const { eligible, excluded } = record
  const all = [...eligible, ...excluded.map(each => ({ id: each.id }))]
  return {
    ...record,
    eligible: [{ id }],
    excluded: all.filter(each => each.id !== id).map(each => ({ id: each.id, by: 'fallback' })),
    slots: [{ slot: 0, action: id, propensity: 1, propensities: [1], floor: 0 }],
    served: { by: 'fallback', reason: 'killed' },
  }
}
