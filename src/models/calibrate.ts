import type { ModelCalibration, ModelCurve } from '../kinds.ts'
import { log, log1p } from '../math/elementary.ts'
import { sigmoid } from '../math/logistic.ts'

/** Something that is wrong in the file of a calibration, at a key of its object, or an item there. */
export interface CurveFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

type CurveType = ModelCalibration['type']

/**
 * What a score becomes; a score that is no number stays none. `isotonic`: through the points (x, y), by straight lines between them, flat beyond the first and the last
 * (Zadrozny and Elkan 2002). `platt`: σ(slope · log-odds + intercept) of a probability, 0 and 1 stay as they are (Platt 1999).
 */
export function calibrate(curve: ModelCurve, type: CurveType, score: number): number {
  if (type === 'platt') return sigmoid(curve.slope! * (log(score) - log1p(-score)) + curve.intercept!)
  return interpolated(curve.x!, curve.y!, score)
}

function interpolated(x: readonly number[], y: readonly number[], score: number): number {
  const last = x.length - 1
  if (Number.isNaN(score)) return score
  if (score <= x[0]) return y[0]
  if (score >= x[last]) return y[last]
  // x[low] ≤ score < x[high], and in the end high = low + 1.
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (x[middle] <= score) low = middle
    else high = middle
  }
  const share = (score - x[low]) / (x[high] - x[low])
  // Rounding must not lead above the next point: a higher score is never worth less.
  return Math.min(y[low] + share * (y[high] - y[low]), y[high])
}

/** As the schema has it. */
const MOST_POINTS = 10_000

/** The curve that a file's JSON value is, or all that keeps it from being one. */
export function readCurve(
  type: CurveType,
  value: unknown,
): { readonly curve: ModelCurve } | { readonly faults: readonly CurveFault[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { faults: [{ path: [], message: 'it is no JSON object', hint: `for example \`${EXAMPLES[type]}\`` }] }
  }
  const object = value as Readonly<Record<string, unknown>>
  const faults = [...unknownKeys(type, object), ...(type === 'platt' ? plattFaults(object) : isotonicFaults(object))]
  if (faults.length > 0) return { faults }
  return { curve: Object.fromEntries(KEYS[type].map(key => [key, object[key]])) }
}

const KEYS = { isotonic: ['x', 'y'], platt: ['slope', 'intercept'] } as const

const EXAMPLES = {
  isotonic: '{"x": [0.1, 0.4, 0.9], "y": [0.05, 0.3, 0.7]}',
  platt: '{"slope": 1.2, "intercept": -0.1}',
} as const

function* unknownKeys(type: CurveType, object: object): Generator<CurveFault> {
  const keys: readonly string[] = KEYS[type]
  for (const key of Object.keys(object)) {
    if (keys.includes(key)) continue
    yield { path: [key], message: `unknown key \`${key}\``, hint: `\`${type}\` has ${keys.join(' and ')}` }
  }
}

function* plattFaults(object: Readonly<Record<string, unknown>>): Generator<CurveFault> {
  for (const key of KEYS.platt) {
    const value = object[key]
    if (!isNumber(value)) {
      const message = value === undefined ? `\`${key}\` is missing` : `\`${key}\` is no number`
      yield { path: [key], message, hint: `for example \`${EXAMPLES.platt}\`` }
    } else if (key === 'slope' && value <= 0) {
      const hint = 'it is fitted to rewards by scores: were they swapped, or is its sign that of another convention?'
      yield { path: [key], message: 'with a slope that is not above 0 a higher score would be worth no more', hint }
    }
  }
}

function* isotonicFaults(object: Readonly<Record<string, unknown>>): Generator<CurveFault> {
  const { x, y } = object
  const lists = Object.entries({ x, y })
  for (const [key, list] of lists) {
    if (list === undefined || !Array.isArray(list) || list.length === 0) {
      const message = list === undefined ? `\`${key}\` is missing` : `\`${key}\` is no list of numbers`
      yield { path: [key], message, hint: `for example \`${EXAMPLES.isotonic}\`` }
      continue
    }
    if (list.length > MOST_POINTS) {
      const message = `\`${key}\` has ${list.length} points, and a curve at most ${MOST_POINTS}`
      yield { path: [key], message, hint: 'leave out points that lie on a straight line' }
      continue
    }
    const wrong = list.findIndex(each => !isNumber(each))
    if (wrong >= 0) {
      yield { path: [key, wrong], message: `\`${key}[${wrong}]\` is no number`, hint: 'write a finite number' }
      continue
    }
    const falls = list.findIndex((each, i) => i > 0 && (key === 'x' ? each <= list[i - 1] : each < list[i - 1]))
    if (falls < 0) continue
    const message = `\`${key}[${falls}]\` is ${list[falls]}, after ${list[falls - 1]}`
    const hint = key === 'x' ? 'scores ascend, each once' : 'what scores become never falls'
    yield { path: [key, falls], message, hint }
  }
  if (Array.isArray(x) && Array.isArray(y) && x.length > 0 && y.length > 0 && x.length !== y.length) {
    const message = `\`x\` has ${x.length} numbers and \`y\` ${y.length}`
    yield { path: ['y'], message, hint: 'a point has one of each' }
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
