/**
 * What can be wrong with a decision log, most basic first. Errors say that the log must not be believed; warnings what was tolerated, or what is
 * not used because only the joined log shows it: one server cannot know of another one's records.
 */
const SEVERITY = {
  /** A line in the middle of a file is not JSON. */
  json: 'error',
  /** The last line of a file is not JSON: what a killed writer leaves. */
  torn: 'warning',
  /** The record is of no known schema. */
  schema: 'error',
  /** The record is not of the shape that its published schema describes. */
  shape: 'error',
  timestamp: 'error',
  /** One decision, logged more than once. */
  repeated: 'warning',
  /** Different decisions under one id: replicas answered one request. None is used. */
  conflict: 'warning',
  /** An action is listed twice, or as both eligible and excluded. */
  eligible: 'error',
  /** The action is not among the eligible. */
  ineligible: 'error',
  /** The action, or what the record says could have been it, is one that a rule excludes. */
  excluded: 'error',
  /** Not one propensity an eligible action. */
  length: 'error',
  /** A probability outside its range. */
  propensity: 'error',
  /** The propensities do not sum to 1. */
  sum: 'error',
  /** The propensity is not the action's entry of the propensities. */
  entry: 'error',
  floor: 'error',
  /** An unknown way of drawing, which cannot be recomputed. */
  scheme: 'warning',
  /** u does not follow from salt, decision and slot. */
  u: 'error',
  /** The propensities and u draw another action. */
  draw: 'error',
  /** Who served does not go with the mode. */
  served: 'error',
  /** The caller served its own baseline, which a rule excludes. */
  baseline: 'warning',
  /** An action that the repository's policy does not have, or the lack of one that it has. */
  actions: 'error',
  /** The context, or the unit, is not one of the repository's policy. */
  context: 'error',
  /** The salt is not that of the repository's policy. */
  salt: 'error',
  /** One reward, logged more than once. */
  'reward-repeated': 'warning',
  /** Different rewards under one id. None is used. */
  'reward-conflict': 'warning',
  /** A reward whose value is missing or not finite. */
  value: 'error',
  /** A reward outside the range that its policy declares. It is not used. */
  range: 'warning',
  /** A reward earlier than its decision, by no more than clocks may be apart. It counts as having come with it. */
  early: 'warning',
  /** A reward earlier than its decision by more. It is not used. */
  'too-early': 'warning',
  /** A reward of an unknown decision. */
  orphan: 'warning',
} as const

export type LogFaultCode = keyof typeof SEVERITY

export const LOG_FAULT_CODES = Object.keys(SEVERITY) as readonly LogFaultCode[]

export const severityOf = (code: LogFaultCode): 'error' | 'warning' => SEVERITY[code]

/** One thing that is wrong with one record. */
export interface RecordFault {
  readonly code: LogFaultCode
  /** One sentence without a full stop. */
  readonly message: string
}
