/**
 * The library: the same powers as the command line, typed. Everything here is pure: files come in as texts, logs through the
 * `Tables` port, of which `@dap-platform/dap/duckdb` is the implementation.
 */

import { hash } from 'node:crypto'
import { digestBy } from './policy/digest.ts'

export type { Diagnostic, DiagnosticCode } from './diagnostics.ts'
export { DapError, ExitCode, UsageError } from './errors.ts'
export { evaluate } from './evaluate/evaluate.ts'
export type { EvaluationPlan } from './evaluate/evaluation-plan.ts'
/** What files may say, before defaults: `written.PolicyDocument`. */
export type * as written from './generated/written.ts'
export type * from './kinds.ts'
export { createLogCheck, type LogCheck, type LogCheckResult } from './log/check/check.ts'
export { decisionRecord } from './log/records/decision-record.ts'
export type { DecisionRecord, RewardRecord } from './log/records/records.ts'
export { type Replay, replay } from './log/records/replay.ts'
export { createLogStats, type LogStats, type LogStatsResult } from './log/stats/stats.ts'
export type { Tables } from './log/tables.ts'
export { type Bundle, bundleText, createBundle, type OpenBundle, readBundle } from './policy/bundle.ts'
export { type Decision, type DecisionRequest, decide } from './policy/decide.ts'
export { type Explanation, explain } from './policy/explanation.ts'
export { createPolicy, type Policy } from './policy/policy.ts'
export { loadSnapshot, type Snapshot, snapshotDigest, snapshotText, takeSnapshot } from './policy/snapshot.ts'
export { loadRepository } from './repo/repository.ts'
export type { Repository, Resource } from './repo/resource.ts'
export type { SourceFile } from './repo/source.ts'
export type * from './results.ts'
export { finish } from './simulate/finish.ts'
export { prepare, type Simulation, type SimulationPlan } from './simulate/simulate.ts'
export { type Training, type TrainingPlan, train } from './train/train.ts'

digestBy(text => hash('sha256', text, 'hex'))
