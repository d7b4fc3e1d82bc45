import { schemaText } from '../policy/snapshot-format.ts'
import type { RecordFault } from './fault.ts'
import { DECISION_SCHEMA, type DecisionRecord, MODES, REWARD_SCHEMA, type RewardRecord, SERVED_BY } from './records.ts'
import { free, list, nullOr, number, object, oneOf, pattern, type Shape, text } from './shape.ts'

export type LogLine =
  | { readonly decision: DecisionRecord }
  | { readonly reward: RewardRecord }
  /** `value`: what the line says, if it is JSON. */
  | { readonly fault: RecordFault; readonly value?: unknown }

/** RFC 3339 in UTC. The calendar is not in it: 30 February is found by `timestampOf`. */
const TIMESTAMP = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$/

const id = text(1, 256)
const name = text(1, 256)
const words = text(0, 65_536)
const timestamp = pattern(TIMESTAMP, 'a time in UTC such as "2026-01-01T00:00:00.000Z"', 'timestamp')
const trace = pattern(
  /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
  'a `traceparent` such as "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"',
  'shape',
)
const probability = number(p => p >= 0 && p <= 1, 'in [0, 1]', 'propensity')
const positiveProbability = number(p => p > 0 && p <= 1, 'in (0, 1]', 'propensity')

/** The most actions, and context fields, of one decision. */
const MANY = 10_000

const slot = object(
  {
    slot: oneOf(0),
    action: nullOr(name),
    propensity: nullOr(positiveProbability),
    propensities: list(probability, 0, MANY),
    floor: probability,
  },
  { baseline: name },
)

/** `schemas/decision.schema.json`, fast. */
const decision = object(
  {
    schema: oneOf(DECISION_SCHEMA),
    decisionId: id,
    ts: timestamp,
    mode: oneOf(...MODES),
    policy: object({ name, digest: name, snapshot: nullOr(name), runtime: name }),
    context: free(16),
    eligible: list(object({ id: name }, { features: free(16) }), 0, MANY),
    excluded: list(object({ id: name, by: words }), 0, MANY),
    slots: list(slot, 1, 1),
    randomness: object({ scheme: name, salt: words, u: number(u => u >= 0 && u < 1, 'in [0, 1)') }),
    served: object({ by: oneOf(...SERVED_BY) }, { reason: words, activation: oneOf('pending') }),
    logProbability: positiveProbability,
    latencyUs: number(us => us >= 0, 'at least 0'),
  },
  { unit: words, defaulted: list(name, 0, MANY), traceparent: trace },
)

const finite = number(() => true, 'a finite number', 'value')

/** `schemas/reward.schema.json`, fast. */
const reward = object(
  { schema: oneOf(REWARD_SCHEMA), rewardId: id, decisionId: id, ts: timestamp },
  {
    slot: oneOf(0),
    kind: oneOf('metric', 'activation'),
    name,
    value: finite,
    receivedTs: timestamp,
    traceparent: trace,
  },
)

/** Reads a line of a decision log: a record of its published shape, or the first thing that is wrong with it. Never throws. */
export function readRecord(line: string): LogLine {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { fault: { code: 'json', message: 'is not JSON' } }
  }
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined
  if (schema === DECISION_SCHEMA) {
    const fault = faultOf(decision, value)
    return fault === undefined ? { decision: value as DecisionRecord } : { fault, value }
  }
  if (schema === REWARD_SCHEMA) {
    const fault = faultOf(reward, value) ?? valueFault(value as RewardRecord)
    return fault === undefined ? { reward: value as RewardRecord } : { fault, value }
  }
  const found = schema === undefined ? 'no `schema`' : `the schema ${schemaText(schema)}`
  const message = `has ${found}; known are ${DECISION_SCHEMA} and ${REWARD_SCHEMA}`
  return { fault: { code: 'schema', message }, value }
}

function faultOf(shape: Shape, value: unknown): RecordFault | undefined {
  const fault = shape(value)
  return fault && { code: fault.code, message: `\`${fault.at}\` ${fault.message}` }
}

/** A metric has a value, an activation has none. */
function valueFault({ kind = 'metric', value }: RewardRecord): RecordFault | undefined {
  if ((kind === 'metric') === (value !== undefined)) return undefined
  return { code: 'value', message: kind === 'metric' ? '`value` is missing' : 'an activation has no `value`' }
}

/** Milliseconds since 1970 of a timestamp of the right shape; NaN for a day that there is not. */
export function timestampOf(ts: string): number {
  const ms = Date.parse(ts)
  // Date.parse takes 30 February for 2 March.
  return Number(ts.slice(8, 10)) <= 28 || new Date(ms).getUTCDate() === Number(ts.slice(8, 10)) ? ms : Number.NaN
}
