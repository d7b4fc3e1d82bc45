import { DapError } from '../errors.ts'
import type { ExplainedAction, Explanation } from '../generated/types.ts'
import { learnerOf } from './algorithm.ts'
import type { Decision } from './decide.ts'
import { drawStream, drawStreamKey, hashUniform } from './draw.ts'
import { explainSlots } from './explained-slots.ts'
import type { Policy } from './policy.ts'
import { type Pool, requirePool } from './pool.ts'

export type { DecideResult, ExplainedAction, Explanation } from '../generated/types.ts'

/** Explains a decision that this policy, in this state, has just made; `pool`: where the actions were those of the request. */
export function explain(policy: Policy, decision: Decision, pool: Pool = requirePool(policy.pool)): Explanation {
  const { context, eligible, servedBy } = decision
  const { salt, u } = decision.randomness
  const k = pool.ids.length
  const { dimension, names } = policy.features
  const perAction = policy.features.rows > 1
  const x = new Float64Array((perAction ? k : 1) * dimension)
  const raw = new Float64Array(k)
  const indices = Int32Array.from(eligible, id => pool.ids.indexOf(id))
  const { link } = learnerOf(policy.spec.algorithm.learner)
  const estimated = servedBy === 'policy'
  if (estimated) {
    policy.features.write(context, x, pool)
    policy.learner.predict(x)
    const rng = drawStream(salt, decision.decisionId)
    policy.exploration.probabilities(policy.learner, indices, indices.length, raw, rng)
  }
  /** What a learner that actions share sees of one. */
  function rowOf(action: number, slot = 0): NonNullable<ExplainedAction['features']> {
    return policy.features
      .components(context, action, pool, slot)
      .map(({ name, value, at }) => {
        const coefficient = policy.learner.coefficient?.(at, action)
        return { name, value, ...(coefficient === undefined ? {} : { contribution: value * coefficient }) }
      })
      .filter(({ value }) => value !== 0)
      .sort((a, b) => Math.abs(b.contribution ?? 0) - Math.abs(a.contribution ?? 0))
  }

  const slots =
    decision.slots && explainSlots(policy, decision, pool, perAction && policy.features.ofSlots ? rowOf : undefined)
  const candidates = slots && new Map(slots[0].candidates.map(each => [each.id, each]))
  let from = 0
  const actions = pool.ids.map((id, a): ExplainedAction => {
    const excluded = decision.excluded.find(other => other.id === id)
    if (excluded !== undefined) return { id, excludedBy: excluded.by }
    const at = eligible.indexOf(id)
    if (at < 0) throw new DapError(`the decision knows nothing of action \`${id}\``)
    if (candidates !== undefined) {
      const candidate = candidates.get(id)
      if (candidate?.value === undefined || !perAction) return candidate ?? { id }
      return { ...candidate, features: rowOf(a) }
    }
    if (decision.action === null) return { id }
    const propensity = decision.propensities[at]
    const interval = { propensity, from, to: from + propensity }
    from += propensity
    if (!estimated) return { id, ...interval }
    const [value, width] = [policy.learner.value[a], policy.learner.width[a]].map(finite)
    return { id, value, width, probability: raw[a], ...interval, ...(perAction ? { features: rowOf(a) } : {}) }
  })
  const { holdout } = policy.spec.guardrails
  return {
    features: estimated && !perAction ? names.map((name, i) => ({ name, value: x[i] })) : [],
    learnt: policy.learner.count,
    ...(link === undefined ? {} : { link }),
    actions,
    ...(slots === undefined ? {} : { slots }),
    ...(holdout === undefined || decision.unit === undefined
      ? {}
      : { holdout: { fraction: holdout.fraction, u: hashUniform(salt, 'unit', decision.unit, 'holdout') } }),
    draw: {
      key: `${salt}/${decision.decisionId}/0`,
      u,
      ...(estimated && policy.exploration.seeded ? { probabilitiesKey: drawStreamKey(salt, decision.decisionId) } : {}),
    },
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
