import type { LogFault } from '../log/check/check.ts'

const UNUSED = 'None of these is used, and `evaluate` and `train` leave out the decisions that they name'

/** What to do about each. */
export const LOG_FAULT_HINTS: Readonly<Record<LogFault['code'], string>> = {
  json: 'a writer that was stopped leaves a broken last line only; look for what else writes to this file',
  torn: 'a writer was killed here; everything before it is whole',
  schema: 'only records of these two schemas belong into the log; keep other files elsewhere',
  shape: 'schemas/decision.schema.json and schemas/reward.schema.json say what a record is',
  timestamp: 'times are RFC 3339 in UTC: 2026-01-31T23:59:59.000Z',
  repeated: 'a request was sent again, and decided the same; the earliest record counts',
  conflict:
    'two requests used one id, or replicas with different snapshots answered one; none of these records is used, nor are rewards for them',
  eligible: 'every action is listed once, as eligible or as excluded',
  ineligible: 'what was logged as the action is not what was drawn',
  excluded:
    'nobody may get what a rule excludes: look for who else served it, or for a dap from before fallbacks had to be eligible',
  length: 'propensities belong to the eligible actions one by one, and slots to the policy',
  propensity:
    'probabilities lie in [0, 1], that of a chosen action above 0; some writers log p + 1 or p of another action',
  sum: 'log the vector that was drawn from: after eligibility and floor, before nothing',
  entry: 'the logged propensity must be the one in the vector at the position of the action',
  floor: 'log the vector after the floor has been mixed in',
  scheme: 'the draw of this log can only be believed',
  u: 'the salt, the id or u were changed after the draw',
  draw: 'the vector was changed after the draw, or the action was: neither can be weighted by the other',
  served: 'only what the policy chose and what was then served may be logged as `served.by: policy`',
  baseline:
    'dap did not choose it: the caller does what the rules of the policy forbid, which is for the caller to mend',
  actions: 'the record names the digest of a policy that has other actions',
  context: 'contexts are logged as they were scored: checked, and with defaults',
  salt: 'the server must draw with the salt of the policy',
  outputs:
    'the record names the digest of a policy whose Model gives other numbers, or somebody changed them: what they decided cannot be recomputed',
  'reward-repeated': 'a reward was sent again; it counts once, from the earliest `ts`',
  'reward-conflict': `two rewards used one id; give each its own, and a retry the same. ${UNUSED}`,
  value: 'a metric has a finite `value`, an activation none',
  range: `look for who sends them; a number of another kind has a name of its own. ${UNUSED}`,
  early: 'clocks differ a little; the reward counts as having come with its decision',
  'no-slot': `slots are numbered from 0; a ranking has fewer where fewer actions could be taken. ${UNUSED}`,
  'too-early': `a clock is wrong, or the reward names the wrong decision. ${UNUSED}`,
  orphan: 'their decisions are in other files, or were never logged; until then these rewards count for nothing',
}
