/**
 * The library: the same powers as the command line, typed. Everything here is pure: files come in as texts, logs through the
 * `Tables` port, of which `dap/duckdb` is the implementation.
 */

export type { Diagnostic, DiagnosticCode } from './diagnostics.ts'
export { DapError, ExitCode, UsageError } from './errors.ts'
export { type EvaluationPlan, evaluate } from './evaluate/evaluate.ts'
export type * from './kinds.ts'
export type { Tables } from './log/tables.ts'
export { type Decision, type DecisionRequest, decide } from './policy/decide.ts'
export { createPolicy, type Policy } from './policy/policy.ts'
export { loadSnapshot, type Snapshot, takeSnapshot } from './policy/snapshot.ts'
export { loadRepository, type Repository, type Resource, type SourceFile } from './repo/repository.ts'
export type * from './results.ts'
export { finish } from './simulate/finish.ts'
export { prepare, type Simulation, type SimulationPlan } from './simulate/simulate.ts'
