/**
 * `node scripts/vectors.ts` writes `clients/vectors/*.json`: what dap decides and computes, for implementers in other languages. The same
 * bytes every time; `test/policy/vectors.test.ts` compares.
 */
import { writeFile } from 'node:fs/promises'
import type { AlgorithmSpec, PolicySpec } from '../src/kinds.ts'
import { toBase64 } from '../src/math/base64.ts'
import { betaDraw, normal } from '../src/math/distributions.ts'
import * as elementary from '../src/math/elementary.ts'
import type { Posterior } from '../src/math/posterior.ts'
import { probabilityBest } from '../src/math/quadrature.ts'
import { type Rng, stream } from '../src/math/rng.ts'
import { sha256Hex } from '../src/math/sha256.ts'
import { normalCdf } from '../src/math/special.ts'
import { learnerOf } from '../src/policy/algorithm.ts'
import { createBundle } from '../src/policy/bundle.ts'
import { compileContextRule } from '../src/policy/cel.ts'
import { type DecisionRequest, decide } from '../src/policy/decide.ts'
import { canonicalJson, digestOf, resourceDigest } from '../src/policy/digest.ts'
import { drawIndex, drawStream, drawUniform } from '../src/policy/draw.ts'
import { createPolicy, type Policy } from '../src/policy/policy.ts'
import { takeSnapshot } from '../src/policy/snapshot.ts'
import { algorithmSamples } from '../test/support/definitions.ts'
import { anyDouble, beside, hexOf } from '../test/support/doubles.ts'

const SEED = 15
const FOLDER = new URL('../clients/vectors/', import.meta.url)

/** The names and texts of all files. */
export function vectorFiles(): ReadonlyMap<string, string> {
  const files = new Map([
    ['functions.json', { functions: functionVectors() }],
    [
      'draws.json',
      {
        draws: drawVectors(),
        choices: choiceVectors(),
        streams: streamVectors(),
        decisionStreams: decisionStreamVectors(),
        digests: digestVectors(),
      },
    ],
    ['best.json', { best: bestVectors() }],
    ['rules.json', { context: FIELDS, rules: ruleVectors() }],
    ...policyFiles(),
  ])
  return new Map([...files].map(([name, content]) => [name, lines(content)]))
}

/** JSON with an item of each list a line. */
function lines(content: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(content).map(([key, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map(item => JSON.stringify(item)).join(',\n')}\n]`
      : JSON.stringify(value)
    return `${JSON.stringify(key)}: ${text}`
  })
  return `{\n${parts.join(',\n')}\n}\n`
}

const FIELDS: PolicySpec['context'] = {
  playerId: { type: 'string' },
  level: { type: 'integer', minimum: 0, default: 1 },
  platform: { type: 'string', enum: ['ios', 'android', 'web'] },
  payer: { type: 'boolean', default: false },
  spend: { type: 'number', default: 0 },
  taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
}
const ACTIONS: PolicySpec['actions'] = [
  { id: 'none', features: { price: 0, tone: 'calm' } },
  { id: 'small', features: { price: 1.99, tone: 'loud' }, eligible: 'ctx.level >= 5' },
  { id: 'mid', features: { price: 4.99, tone: 'calm' }, eligible: "ctx.platform == 'ios' || ctx.level >= 20" },
  { id: 'größe', features: { price: 19.99, tone: 'loud' }, eligible: 'ctx.payer || ctx.taste.exists(t, t > 0.5)' },
]
/** What a Model says comes from elsewhere: requests of the vectors do not have it. */
const ALGORITHMS = new Map(
  algorithmSamples(ACTIONS.map(({ id }) => id))
    .filter(({ learner }) => learner.type !== 'model')
    .map(spec => [JSON.stringify(spec), spec]),
)

/** What a learner sees beside the context. */
function ofActions({ learner }: AlgorithmSpec): NonNullable<PolicySpec['features']> {
  const { shared = false, hashed = false } = learnerOf(learner).features?.(learner) ?? {}
  return hashed ? OF_ACTIONS.filter(feature => !('cross' in feature)) : shared ? OF_ACTIONS : []
}

const OF_ACTIONS: NonNullable<PolicySpec['features']> = [
  { action: 'id' },
  { action: 'price', transform: 'log1p' },
  { cross: ['platform', 'action.tone'] },
  { cross: ['level', 'action.price'] },
]

function policyOf(name: string, algorithm: AlgorithmSpec, changes: Partial<PolicySpec> = {}): Policy {
  const spec: PolicySpec = {
    unit: 'playerId',
    context: FIELDS,
    features: [
      { field: 'level', transform: 'log1p' },
      { field: 'platform' },
      { field: 'payer' },
      { field: 'spend', transform: 'bucketize', edges: [0.01, 5] },
      { field: 'taste', transform: 'standardize', mean: 0.25, sd: 0.7 },
      ...ofActions(algorithm),
    ],
    actions: ACTIONS,
    decision: { type: 'single' },
    mode: 'online',
    algorithm,
    guardrails: { minProbability: 0.02, holdout: { fraction: 0.1, action: 'none' } },
    reward: { name: 'purchase', type: 'binary', wait: '1h', default: 0 },
    ...changes,
  }
  return createPolicy(name, spec, resourceDigest('Policy', name, spec))
}

/** Teaches rewards of 0 and 1 in contexts of the stream's. */
function teach(policy: Policy, rewards: number, rng: Rng): void {
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < rewards; i++) {
    const checked = policy.context(anyContext(rng))
    if ('faults' in checked) throw new RangeError('a context of the vectors is none')
    const action = rng.uint32() % policy.actions.length
    policy.features.writeRow(checked.context, action, x)
    policy.learner.learn(action, x, rng.uniform() < 0.2 + 0.15 * action ? 1 : 0)
  }
}

/** Thousandths, which are short to write. */
const short = (x: number) => Math.round(1000 * x) / 1000

function anyContext(rng: Rng): Record<string, unknown> {
  return {
    playerId: `p${rng.uint32() % 100_000}`,
    level: rng.uint32() % 40,
    platform: ['ios', 'android', 'web'][rng.uint32() % 3],
    payer: rng.uniform() < 0.3,
    spend: rng.uniform() < 0.5 ? 0 : short(20 * rng.uniform()),
    taste: [short(2 * rng.uniform() - 1), short(2 * rng.uniform() - 1)],
  }
}

/** Files of policies by learner: what each is, as the bundle that a server loads, and its decisions. */
function policyFiles(): [string, Record<string, unknown>][] {
  const files = new Map<string, unknown[]>()
  const add = (file: string, policy: Policy, requests: readonly DecisionRequest[]) => {
    const isTaught = policy.learner.count > 0
    const list = files.get(file) ?? []
    files.set(file, list)
    list.push({
      bundle: createBundle(policy, isTaught ? takeSnapshot(policy) : null, '0.0.0'),
      decisions: requests.map(request => decisionVector(policy, request)),
    })
  }
  for (const algorithm of ALGORITHMS.values()) {
    const file = `policies-${algorithm.learner.type}.json`
    // By what it is, not by its place: another algorithm leaves the vectors of all others as they are.
    const name = `${(algorithm.exploration ?? algorithm.learner).type}-${digestOf(algorithm).slice(7, 13)}`
    const rng = stream(SEED, file, name)
    const policy = policyOf(name, algorithm)
    teach(policy, 40, rng)
    add(file, policy, requestsOf(rng, 8))
    // Nothing learnt: untried actions, and ties of all.
    if (algorithm.learner.type !== 'uniform') add(file, policyOf(`${name}-new`, algorithm), requestsOf(rng, 3))
  }
  for (const [name, changes, requests] of GUARDRAILS) {
    const policy = policyOf(name, SOFTMAX, changes)
    teach(policy, 20, stream(SEED, name))
    add('policies-guardrails.json', policy, requests ?? requestsOf(stream(SEED, name, 'requests'), 8))
  }
  return [...files].map(([name, policies]) => [name, { policies }])
}

function requestsOf(rng: Rng, count: number): DecisionRequest[] {
  return Array.from({ length: count }, (_, i) => ({ decisionId: `d-${i}-${rng.uint32()}`, context: anyContext(rng) }))
}

const SOFTMAX: AlgorithmSpec = { learner: { type: 'mean' }, exploration: { type: 'softmax', temperature: 0.1 } }
const CONTEXT = { playerId: 'p1', level: 9, platform: 'ios', taste: [0, 0] }

/** What an order of decisions is about: name, what differs from the others, and requests of its own. */
const GUARDRAILS: readonly (readonly [string, Partial<PolicySpec>, (readonly DecisionRequest[])?])[] = [
  ['no-floor', { guardrails: { minProbability: 0 } }],
  ['a-floor-that-does-not-fit', { guardrails: { minProbability: 0.4 } }],
  ['everybody-is-held-out', { guardrails: { minProbability: 0, holdout: { fraction: 1, action: 'mid' } } }],
  ['salted', { salt: 'Salz/é', guardrails: { minProbability: 0.01, holdout: { fraction: 0.5, action: 'none' } } }],
  ['no-unit', { unit: undefined, guardrails: { minProbability: 0.02 } }],
  [
    'no-action-is-eligible',
    { actions: ACTIONS.slice(1), guardrails: { minProbability: 0, fallback: 'small' } },
    [0, 4, 5, 30].map(level => ({ decisionId: `e${level}`, context: { ...CONTEXT, platform: 'web', level } })),
  ],
  [
    'a-rule-without-a-value',
    {
      actions: [{ id: 'none' }, { id: 'small', eligible: '10 / (ctx.level - 7) > 1' }],
      guardrails: { minProbability: 0, fallback: 'none' },
    },
    [6, 7, 8].map(level => ({ decisionId: `r${level}`, context: { ...CONTEXT, level } })),
  ],
  [
    'a-feature-without-a-value',
    {
      algorithm: { ...SOFTMAX, learner: { type: 'linear', l2: 1, intercept: true } },
      features: [{ field: 'spend', transform: 'log1p' }],
      guardrails: { minProbability: 0, fallback: 'small' },
    },
    [-2, -1, -0.5, 1e30].map(spend => ({ decisionId: `f${spend}`, context: { ...CONTEXT, spend } })),
  ],
  [
    'imposed',
    { guardrails: { minProbability: 0.02, fallback: 'none' } },
    [
      { decisionId: 'i1', context: CONTEXT, imposed: { reason: 'killed' } },
      { decisionId: 'i2', context: CONTEXT, imposed: { reason: 'a test', actions: ['small'] } },
      { decisionId: 'i3', context: CONTEXT, imposed: { reason: 'excluded', actions: ['größe'] } },
      { decisionId: 'i4', context: CONTEXT, imposed: { reason: 'unknown', actions: ['huge'] } },
    ],
  ],
  [
    'contexts',
    {},
    [
      {},
      null,
      { ...CONTEXT, level: null, payer: undefined },
      { ...CONTEXT, level: 1.5 },
      { ...CONTEXT, level: -1, platform: 'tv', taste: [1], color: 'red' },
      { ...CONTEXT, playerId: 'ü'.repeat(300) },
      { ...CONTEXT, playerId: '' },
    ].map((context, i) => ({ decisionId: `c${i}`, context })),
  ],
]

function decisionVector(policy: Policy, request: DecisionRequest) {
  const decision = decide(policy, request)
  if ('faults' in decision) return { request, faults: decision.faults.map(({ pointer }) => pointer) }
  const { policy: _policy, decisionId: _id, randomness, ...rest } = decision
  const bits = { u: hexOf(randomness.u), propensities: rest.propensities.map(hexOf) }
  if (rest.servedBy !== 'policy') return { request, decision: { ...rest, u: randomness.u }, bits }
  const x = new Float64Array(policy.features.rows * policy.features.dimension)
  policy.features.write(rest.context, x)
  policy.learner.predict(x)
  const { value, width } = policy.learner
  const learnt = { features: [...x].map(hexOf), values: [...value].map(hexOf), widths: [...width].map(hexOf) }
  return { request, decision: { ...rest, u: randomness.u }, bits: { ...bits, ...learnt } }
}

/** [name, argument, value], as bits. */
function functionVectors(): [string, string, string][] {
  const { exp, expm1, log, log1p, cbrt, tanh } = elementary
  const borders = [
    0, 5e-324, 2e-308, 1e-17, 3e-9, 9e-7, 0.29289364, 0.34657357, 0.41421365, 1, 1.03972, 22, 38.8, 709.79, 745.14,
    2e16,
  ]
  const list: [string, string, string][] = []
  const add = (name: string, f: (x: number) => number, x: number) => {
    // A NaN has many bit patterns, and one meaning.
    if (!Number.isNaN(x) && !Number.isNaN(f(x))) list.push([name, hexOf(x), hexOf(f(x))])
  }
  for (const [name, f] of Object.entries({ exp, expm1, log, log1p, cbrt, tanh, normalCdf })) {
    for (const x of borders) for (const sign of [1, -1]) for (const by of [0, 1]) add(name, f, sign * beside(x, by))
    for (const x of [Infinity, -Infinity]) add(name, f, x)
    const rng = stream(SEED, name)
    for (let i = 0; i < 200; i++) add(name, f, anyDouble(rng))
  }
  return list
}

const TEXTS = [
  '',
  'a',
  'salt',
  'Salz/é',
  '漢字',
  '😀',
  '\ud800x',
  'x'.repeat(55),
  'x'.repeat(56),
  'x'.repeat(64),
  'é'.repeat(100),
]

function drawVectors() {
  return TEXTS.flatMap((salt, i) =>
    ['d1', `id-${i}`].map(id => {
      const key = `${salt}/${id}/0`
      return {
        salt,
        decisionId: id,
        key,
        sha256: sha256Hex(key),
        u: drawUniform(salt, id),
        bits: hexOf(drawUniform(salt, id)),
      }
    }),
  )
}

function choiceVectors() {
  const lists = [
    [1],
    [0, 1, 0],
    [0.5, 0.5],
    [0.1, 0.2, 0.3, 0.4],
    Array.from({ length: 10 }, () => 0.1),
    [0.3, 0.3, 0.3, 0],
  ]
  return lists.flatMap(probabilities =>
    [0, 0.1, 0.30000000000000004, 0.5, beside(0.5, -1), 0.9999999999999999].map(u => ({
      probabilities: probabilities.map(hexOf),
      u: hexOf(u),
      index: drawIndex(probabilities, u),
    })),
  )
}

/** Of simulations: the first numbers of streams. */
function streamVectors() {
  return [[1], [15, 'world', 0, 'unit'], [4294967295, 'policy', 'é', 7]].map(([seed, ...labels]) => {
    const rng = stream(Number(seed), ...labels)
    const uint32 = [rng.uint32(), rng.uint32()]
    return { seed, labels, uint32, uniform: [hexOf(rng.uniform()), hexOf(rng.uniform())] }
  })
}

/** Of decisions whose probabilities are drawn: the first numbers of their streams, and what is drawn of these. */
function decisionStreamVectors() {
  return TEXTS.map((salt, i) => {
    const id = `id-${i}`
    const numbers = (next: (rng: Rng) => number) => {
      const rng = drawStream(salt, id)
      return Array.from({ length: 40 }, () => hexOf(next(rng)))
    }
    const { uint32 } = drawStream(salt, id)
    const [alpha, beta] = [
      [1, 1],
      [0.3, 4],
      [17, 2.5],
    ][i % 3]
    return {
      ...{ salt, decisionId: id, key: `${salt}/${id}/draws`, uint32: [uint32(), uint32()] },
      ...{ normals: numbers(normal), betas: { alpha, beta, values: numbers(rng => betaDraw(rng, alpha, beta)) } },
    }
  })
}

function digestVectors() {
  const values: unknown[] = [
    null,
    0,
    -0,
    1e21,
    1e-7,
    0.1,
    'é"\\\u2028',
    [],
    { b: 1, a: [true, { d: undefined, c: '' }] },
    { é: 1, z: 2, Z: 3 },
  ]
  const numbers = [0.1, -0, Infinity, 5e-324, 1e300]
  const bytes = new Uint8Array(Float64Array.from(numbers).buffer)
  return [
    ...values.map(value => ({
      value: value === undefined ? null : value,
      canonical: canonicalJson(value),
      digest: digestOf(value),
    })),
    { numbers: numbers.map(hexOf), float64: toBase64(bytes) },
  ]
}

/** P(each is the largest), by posteriors. */
function bestVectors() {
  const rng = stream(SEED, 'best')
  const list: (readonly Posterior[])[] = [
    [{ family: 'normal', mean: 0, sd: 1 }],
    [0, 1e-9, 5].map(mean => ({ family: 'normal' as const, mean, sd: mean + 1e-6 })),
    [
      { family: 'normal', mean: 0.2, sd: 0 },
      { family: 'normal', mean: 0.1, sd: 0.1 },
    ],
    [
      { family: 'beta', alpha: 1, beta: 1 },
      { family: 'beta', alpha: 1, beta: 1 },
    ],
    [
      { family: 'beta', alpha: 1e-3, beta: 2 },
      { family: 'beta', alpha: 1e6, beta: 1e7 },
      { family: 'beta', alpha: 0.5, beta: 0.5 },
    ],
  ]
  for (let i = 0; i < 40; i++) {
    const count = 2 + (rng.uint32() % 9)
    list.push(
      Array.from({ length: count }, () =>
        i % 2 === 0
          ? { family: 'normal' as const, mean: short(2 * rng.uniform()), sd: short(0.01 + rng.uniform()) }
          : { family: 'beta' as const, alpha: 1 + (rng.uint32() % 50), beta: 1 + (rng.uint32() % 500) },
      ),
    )
  }
  return list.map(posteriors => ({ posteriors, best: [...probabilityBest(posteriors)].map(hexOf) }))
}

const RULES = [
  'true',
  'ctx.level >= 5 && !ctx.payer',
  'ctx.level % 7 == 3 || ctx.level / 4 == 2',
  'ctx.spend == 0',
  'double(ctx.level) * 0.5 > ctx.spend',
  'int(ctx.spend) - ctx.level < -3',
  "ctx.platform in ['ios', 'web']",
  "ctx.playerId.startsWith('p1') || ctx.playerId.endsWith('7') || ctx.playerId.contains('55')",
  "size(ctx.playerId) > 5 ? ctx.payer : ctx.platform == 'web'",
  'ctx.taste.exists(t, t > 0.5) || ctx.taste.all(t, t < -0.2)',
  'ctx.taste[0] < ctx.taste[1]',
  'ctx.taste.exists_one(t, t > 0.0)',
  '10 / (ctx.level - 7) > 1',
  'ctx.payer || 1 / ctx.level > 0',
  "string(ctx.level) + ctx.platform == '12ios'",
  'has(ctx.spend) && -ctx.spend <= -1.5',
]

/** What rules give in contexts: true, false, or null where CEL has no value. */
function ruleVectors() {
  return RULES.map(rule => {
    const compiled = compileContextRule(rule, FIELDS, 'bool')
    if ('fault' in compiled) throw new RangeError(`${rule}: ${compiled.fault.message}`)
    const rng = stream(SEED, 'rules', rule)
    const cases = Array.from({ length: 12 }, (_, i) => {
      const context = anyContext(rng)
      if (i < 3) context.level = [0, 7, 12][i]
      return { context, result: resultOf(() => compiled.run(context as Parameters<typeof compiled.run>[0])) }
    })
    return { rule, cases }
  })
}

function resultOf(run: () => boolean): boolean | null {
  try {
    return run()
  } catch {
    return null
  }
}

if (import.meta.filename === process.argv[1]) {
  for (const [name, text] of vectorFiles()) await writeFile(new URL(name, FOLDER), text)
}
