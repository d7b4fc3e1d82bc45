import type { Endpoint, ModelVersion } from './cloud.ts'

/** What one environment's cloud has of one project, from list calls alone. */
export interface Actual {
  /** Endpoints with the project's labels, of this environment. */
  readonly endpoints: readonly Endpoint[]
  /** Default versions of its models. */
  readonly models: readonly ModelVersion[]
  /** Names of the bundles in the bucket. */
  readonly bundles: ReadonlySet<string>
}

/** The part of it that one deployment is about. */
export interface ActualDeployment {
  readonly endpoint: Endpoint | undefined
  /** All versions of its model that are known: where the deployment is as Git says, the default one may be all. */
  readonly versions: readonly ModelVersion[]
  readonly bundle: boolean
}
