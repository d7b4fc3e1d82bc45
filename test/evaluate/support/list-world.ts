import { visitPrefixes } from '../../../src/evaluate/lists/prefixes.ts'
import type { PolicySpec } from '../../../src/kinds.ts'
import type { Rng } from '../../../src/math/rng.ts'
import { createPolicy, type Policy } from '../../../src/policy/policy.ts'
import { draw } from './chances.ts'

export const CONTEXTS = ['w', 'x', 'y', 'z'] as const
export const ACTIONS = 6
export const SLOTS = 3
const IDS = Array.from({ length: ACTIONS }, (_, a) => `a${a}`)
/** Of each action, for whoever measures how they differ. */
const FEATURES = IDS.map((_, a) => ({ genre: a % 2 === 0 ? 'board' : 'card', size: a }))
const EVERY = Int32Array.from(IDS.keys())

/** By context and action: how much a policy likes it. */
export type Liking = readonly (readonly number[])[]

export interface PolicyParts {
  readonly decision?: PolicySpec['decision']
  readonly temperature?: number
}

/** Makes lists by a softmax of what it likes, once it has learnt that. */
export function listPolicy(name: string, liking: Liking, { decision, temperature = 0.25 }: PolicyParts = {}): Policy {
  const spec: PolicySpec = {
    unit: 'unit',
    context: { unit: { type: 'string' }, x: { type: 'string', enum: [...CONTEXTS] } },
    actions: IDS.map((id, a) => ({ id, features: FEATURES[a] })),
    features: [{ field: 'x', transform: 'one-hot' }] as unknown as PolicySpec['features'],
    decision: decision ?? { type: 'ranking', slots: SLOTS, uniform: 0.1 },
    algorithm: {
      learner: { type: 'linear', shared: false, l2: 0.01, intercept: false } as PolicySpec['algorithm']['learner'],
      exploration: { type: 'softmax', temperature },
    },
    guardrails: { minProbability: 0.02 },
    reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
    mode: 'online',
  }
  const policy = createPolicy(name, spec, `sha256:${name}`)
  const x = new Float64Array(policy.features.dimension)
  for (const [c, context] of CONTEXTS.entries()) {
    policy.features.write({ unit: 'u', x: context }, x)
    for (let a = 0; a < ACTIONS; a++) policy.learner.learn(a, x, liking[c][a])
  }
  return policy
}

/** Clicks on a list, by slot: their expectation, and a draw of them. */
export interface Clicks {
  readonly mean: (c: number, list: readonly number[]) => readonly number[]
  readonly drawn: (c: number, list: readonly number[], rng: Rng) => readonly number[]
}

const EXAMINED = [1, 0.6, 0.3]
const independent = (mean: Clicks['mean']): Clicks => ({
  mean,
  drawn: (c, list, rng) => mean(c, list).map(p => Number(rng.uniform() < p)),
})

/** How much people like what, by context and action. */
export type Attraction = Liking

/** The position-based model: a click depends on its action and its slot alone. */
export const pbm = (q: Attraction): Clicks => independent((c, list) => list.map((a, k) => EXAMINED[k] * q[c][a]))

/** The cascade: people look from the top until they click. */
export function cascade(q: Attraction): Clicks {
  return {
    mean: (c, list) => {
      let looking = 1
      return list.map(a => {
        const p = looking * q[c][a]
        looking *= 1 - q[c][a]
        return p
      })
    },
    drawn: (c, list, rng) => {
      let looking = true
      return list.map(a => {
        const click = looking && rng.uniform() < q[c][a]
        if (click) looking = false
        return Number(click)
      })
    },
  }
}

/** What stands last draws the eye away from all of the list: the worse it is, the less is clicked above. */
export const listWise = (q: Attraction): Clicks =>
  independent((c, list) => list.map(a => q[c][a] * (q[c][list[list.length - 1]] > 0.25 ? 1 : 0.15)))

/** What the lists of a policy earn in a world, by context, all alike. */
export function worthOf(policy: Policy, { mean }: Clicks): number {
  let value = 0
  for (const [c, x] of CONTEXTS.entries()) {
    const walk = policy.walk({ unit: 'u', x }, EVERY, ACTIONS)
    visitPrefixes(walk, ACTIONS, SLOTS, (action, probability, above) => {
      if (above.length < SLOTS - 1) return
      value += (probability * mean(c, [...above, action]).reduce((sum, r) => sum + r, 0)) / CONTEXTS.length
    })
  }
  return value
}

/** A log of n lists of a policy, as the columns of a `dap` log. `perUnit` decisions of each unit. */
export function listLog(policy: Policy, { drawn }: Clicks, n: number, rng: Rng, perUnit = 1) {
  const names = [
    'decisionId',
    'unit',
    'context',
    'action',
    'propensity',
    'propensities',
    'eligible',
    'list',
    'servedBy',
  ] as const
  const columns: Record<string, (string | number | null)[]> = {}
  for (const name of [...names, 'context.x', 'context.unit', 'ts', 'logProbability', 'reward']) columns[name] = []
  for (let k = 0; k < SLOTS; k++) columns[`reward ${k}`] = []
  const { uniform } = policy.slots
  const vector = new Float64Array(ACTIONS)
  const eligible = JSON.stringify(IDS)
  for (let i = 0; i < n; i++) {
    const c = Math.floor(rng.uniform() * CONTEXTS.length)
    const context = { unit: `u${Math.floor(i / perUnit)}`, x: CONTEXTS[c] }
    const walk = policy.walk(context, EVERY, ACTIONS)
    const list: number[] = []
    const slots: object[] = []
    for (let slot = 0; slot < SLOTS && walk.vector(vector) > 0; slot++) {
      const action = draw(rng, [...vector])
      slots.push({ slot, action: IDS[action], propensity: vector[action], propensities: [...vector], floor: 0 })
      list.push(action)
      walk.take(action)
    }
    const { scores } = walk
    const design =
      uniform === undefined ? { design: 'floors' } : { design: 'mixture', uniform, scores: scores && [...scores] }
    const [first] = slots as { action: string; propensity: number; propensities: number[] }[]
    const values: Record<(typeof names)[number], string | number> = {
      decisionId: `d${i}`,
      unit: context.unit,
      context: JSON.stringify(context),
      action: first.action,
      propensity: first.propensity,
      propensities: JSON.stringify(first.propensities),
      eligible,
      list: JSON.stringify({ ...design, slots }),
      servedBy: 'policy',
    }
    for (const name of names) columns[name].push(values[name])
    columns['context.x'].push(context.x)
    columns['context.unit'].push(context.unit)
    columns['ts'].push(new Date(1.78e12 + 1000 * i).toISOString())
    columns['logProbability'].push(1)
    const clicks = drawn(c, list, rng)
    columns['reward'].push(clicks.reduce((sum, r) => sum + r, 0))
    for (let k = 0; k < SLOTS; k++) columns[`reward ${k}`].push(clicks[k] ?? null)
  }
  return columns
}
