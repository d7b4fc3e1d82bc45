import type { LearnerSpec, PolicySpec } from '../src/kinds.ts'
import { stream } from '../src/math/rng.ts'
import { learnerOf } from '../src/policy/algorithm.ts'
import { fitHere } from '../src/policy/passes.ts'
import { createPolicy } from '../src/policy/policy.ts'
import { median } from './measure.ts'

const OFFERED = 10
const FIELDS = 10
const DECISIONS = 20_000
const ROWS = 50_000
const ROUNDS = 3

/**
 * Hashed features in one thread: decisions between 10 actions of 10 tokens in contexts of 10, with all pairs, 10 × 121 weights each, from the context to the
 * draw; and passes over rows of 121.
 */
export async function bench(): Promise<void> {
  const policy = createPolicy('bench', specOf(), 'sha256:0')
  const { features, learner, capacity } = policy
  const { dimension, hashing } = features
  const rng = stream(1)
  const contexts = Array.from({ length: 1000 }, () =>
    Object.fromEntries(Array.from({ length: FIELDS }, (_, i) => [`c${i}`, `value${rng.uint32() % 8}`])),
  )
  const x = new Float64Array(capacity * dimension)
  for (let i = 0; i < 2000; i++) {
    features.write(contexts[i % 1000], x)
    learner.learn(i % OFFERED, x.subarray(0, dimension), rng.uniform() < 0.1 ? 1 : 0)
  }
  const all = Int32Array.from({ length: OFFERED }, (_, a) => a)
  const decisions = rates(DECISIONS, () => {
    for (let i = 0; i < DECISIONS; i++) {
      features.write(contexts[i % 1000], x)
      policy.sample(x, all, OFFERED, rng)
    }
  })
  const bare = rates(DECISIONS, () => bareLoop(DECISIONS))
  const spec = policy.spec.algorithm.learner
  const passes = learnerOf(spec).passes?.(spec, OFFERED, dimension, hashing)
  if (passes === undefined) throw new Error('the learner is not fitted in passes')
  const rows = {
    rows: ROWS,
    x: new Float64Array(ROWS * dimension),
    action: new Int32Array(ROWS),
    reward: Float64Array.from({ length: ROWS }, () => (rng.uniform() < 0.1 ? 1 : 0)),
    weight: undefined,
  }
  for (let r = 0; r < ROWS; r++)
    features.writeRow(contexts[r % 1000], r % OFFERED, rows.x.subarray(r * dimension, (r + 1) * dimension))
  const weights = new Float64Array((1 << (hashing?.bits ?? 0)) + 1)
  const passed = rates(ROWS, () => passes.fold(rows, weights, false))
  const start = performance.now()
  const fit = fitHere(passes, [rows], Float64Array.of(ROWS), Float64Array.of(1))
  const seconds = (performance.now() - start) / 1000
  console.log(
    `decide: ${grouped(decisions)} decisions/s of 10 × 121 weights, ${(bare / decisions).toFixed(2)} × the time of a loop that does nothing but look 10 × 121 up and add`,
  )
  if (Number.isNaN(added)) throw new Error('the table has numbers alone')
  console.log(`pass: ${(passed / 1e6).toFixed(2)} M rows/s of 121 weights`)
  console.log(`fit: ${fit.report.passes} passes over ${grouped(ROWS)} rows in ${seconds.toFixed(1)} s`)
}

const TABLE = new Float64Array(1 << 18).fill(0.1)
/** Read at the end: otherwise the loop would be nothing to the compiler. */
let added = 0

/** So many times 10 × 121 entries of a table of 2^18, all over it. */
function bareLoop(count: number): void {
  let sum = 0
  for (let i = 0; i < count; i++) {
    let hash = i
    for (let j = 0; j < 1210; j++) {
      hash = (Math.imul(hash, 16777619) ^ j) & 0x3ffff
      sum += TABLE[hash]
    }
  }
  added += sum
}

/** How many a second, the median of the rounds. */
function rates(count: number, run: () => unknown): number {
  const seconds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now()
    run()
    return (performance.now() - start) / 1000
  })
  return count / median(seconds)
}

const grouped = (value: number): string => Math.round(value).toLocaleString('en')

function specOf(): PolicySpec {
  const learner: LearnerSpec = { type: 'hashed', l2: 20 }
  return {
    context: Object.fromEntries(Array.from({ length: FIELDS }, (_, i) => [`c${i}`, { type: 'string' as const }])),
    actions: Array.from({ length: OFFERED }, (_, a) => ({
      id: `item${a}`,
      features: Object.fromEntries(Array.from({ length: FIELDS - 1 }, (_, i) => [`t${i}`, `value${(a * 7 + i) % 8}`])),
    })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm: {
      learner,
      exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
    },
    guardrails: { minProbability: 0 },
    reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
  }
}
