/**
 * The machine-readable results of commands, as `--json` prints them and as CEL rules see them: the types are made from
 * `schemas/*-result.schema.json` and `evidence.schema.json`. Types only: every folder may import them.
 */
import type { Input } from './generated/types.ts'

export type {
  AdoptResult,
  BundleResult,
  CandidateResult,
  CompletionResult,
  DatasetExportResult,
  DeploymentOutcome,
  DeploymentState,
  DeploymentStatus,
  DeployResult,
  DifferenceEstimate,
  DifferenceOfCandidates,
  DifferenceResult,
  DoctorCheck,
  DoctorResult,
  ErrorResult,
  EstimateResult,
  EvaluationResult,
  Evidence,
  ExportedFeatures,
  ExportedInput,
  Figure,
  GraphEdge,
  GraphNode,
  GraphResult,
  HereResult,
  ImageResult,
  Input,
  JudgedPolicy,
  ListedResource,
  ListResult,
  LiveModel,
  LockResult,
  LockState,
  LogTailResult,
  Measured,
  NextCommand,
  PlayResult,
  PolicyResult,
  RecordedEvidence,
  RuleResult,
  ServeResult,
  SimulationResult,
  StatusResult,
  Support,
  TrainingResult,
  UnitsResult,
  Verdict,
} from './generated/types.ts'

/** An input as it is now; its digest is null where it is gone, or cannot be read. */
export type CurrentInput = Omit<Input, 'digest'> & { readonly digest: string | null }
