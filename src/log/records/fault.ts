import type { LogFaultCode } from '../../generated/types.ts'

export { LOG_FAULT_CODES } from '../../generated/names.ts'
export type { LogFaultCode } from '../../generated/types.ts'

/**
 * What can be wrong with a decision log, most basic first. Errors say that the log must not be believed; warnings what was tolerated, or what is
 * not used because only the joined log shows it: one server cannot know of another one's records.
 */
const SEVERITY: Readonly<Record<LogFaultCode, 'error' | 'warning'>> = {
  json: 'error',
  torn: 'warning',
  schema: 'error',
  shape: 'error',
  timestamp: 'error',
  repeated: 'warning',
  conflict: 'warning',
  eligible: 'error',
  ineligible: 'error',
  excluded: 'error',
  length: 'error',
  propensity: 'error',
  sum: 'error',
  entry: 'error',
  floor: 'error',
  scheme: 'warning',
  u: 'error',
  draw: 'error',
  served: 'error',
  baseline: 'warning',
  actions: 'error',
  context: 'error',
  salt: 'error',
  outputs: 'error',
  'reward-repeated': 'warning',
  'reward-conflict': 'warning',
  value: 'error',
  range: 'warning',
  early: 'warning',
  'too-early': 'warning',
  'no-slot': 'warning',
  orphan: 'warning',
}

export const severityOf = (code: LogFaultCode): 'error' | 'warning' => SEVERITY[code]

/** One thing that is wrong with one record. */
export interface RecordFault {
  readonly code: LogFaultCode
  /** One sentence without a full stop. */
  readonly message: string
}
