import { decisionShape } from '../../generated/decision-shape.ts'
import { rewardShape } from '../../generated/reward-shape.ts'
import { schemaText } from '../../schema/document.ts'
import type { Shape } from '../../schema/shape.ts'
import type { LogFaultCode, RecordFault } from './fault.ts'
import { DECISION_SCHEMAS, type DecisionRecord, REWARD_SCHEMA, type RewardRecord } from './records.ts'

export type LogLine =
  | { readonly decision: DecisionRecord }
  | { readonly reward: RewardRecord }
  /** `value`: what the line says, if it is JSON. */
  | { readonly fault: RecordFault; readonly value?: unknown }

/** Faults by these definitions of the schemas have codes of their own. */
const CODES: Readonly<Record<string, LogFaultCode>> = {
  Timestamp: 'timestamp',
  Probability: 'propensity',
  PositiveProbability: 'propensity',
  RewardValue: 'value',
}

/** Reads a line of a decision log: a record of its published shape, or the first thing that is wrong with it. Never throws. */
export function readRecord(line: string): LogLine {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { fault: { code: 'json', message: 'is not JSON' } }
  }
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined
  if (DECISION_SCHEMAS.some(each => each === schema)) {
    const fault = faultOf(decisionShape, value) ?? vectorFault(value as DecisionRecord)
    return fault === undefined ? { decision: value as DecisionRecord } : { fault, value }
  }
  if (schema === REWARD_SCHEMA) {
    const fault = faultOf(rewardShape, value) ?? valueFault(value as RewardRecord)
    return fault === undefined ? { reward: value as RewardRecord } : { fault, value }
  }
  const found = schema === undefined ? 'no `schema`' : `the schema ${schemaText(schema)}`
  const message = `has ${found}; known are ${[...DECISION_SCHEMAS, REWARD_SCHEMA].join(', ')}`
  return { fault: { code: 'schema', message }, value }
}

function faultOf(shape: Shape, value: unknown): RecordFault | undefined {
  const [fault] = shape(value) ?? []
  return fault && { code: CODES[fault.by ?? ''] ?? 'shape', message: `\`${fault.at}\` ${fault.message}` }
}

/** A slot has its vector, or the record the scores that tell it. */
function vectorFault({ slots, list }: DecisionRecord): RecordFault | undefined {
  const without = list?.scores === undefined ? slots.findIndex(({ propensities }) => propensities === undefined) : -1
  return without < 0 ? undefined : { code: 'shape', message: `\`slots[${without}].propensities\` is missing` }
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
