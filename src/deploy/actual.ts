import type { Cloud, Endpoint, ModelVersion } from './cloud.ts'
import type { Desired, Target } from './desired.ts'
import { BUNDLES } from './names.ts'

/** What one environment's cloud has of one project, from list calls alone. */
export interface Actual {
  /** Endpoints with the project's labels, of this environment. */
  readonly endpoints: readonly Endpoint[]
  /** Default versions of its models, and all versions of those that `withVersions` has asked for. */
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

/** Three list calls, whatever the number of deployments. */
export async function readActual(cloud: Cloud, target: Pick<Target, 'project' | 'environment'>): Promise<Actual> {
  const label = `dap-project=${target.project}`
  const here = ({ labels }: Endpoint | ModelVersion) => labels['dap-env'] === target.environment
  const [endpoints, models, bundles] = await Promise.all([
    cloud.listEndpoints(label),
    cloud.listModels(label),
    cloud.listObjects(BUNDLES),
  ])
  return { endpoints: endpoints.filter(here), models: models.filter(here), bundles: new Set(bundles) }
}

/**
 * With all versions of the models where the default one is not enough to know: it is not the one that Git asks for, or not the one that
 * serves. So a plan knows what is uploaded already, and what is to be replaced.
 */
export async function withVersions(cloud: Cloud, actual: Actual, wanted: readonly Desired[]): Promise<Actual> {
  const others = wanted.filter(desired => {
    const byDefault = actual.models.find(({ model }) => model === desired.model.id)
    if (byDefault === undefined) return false
    const endpoint = endpointOf(actual, desired)
    const serving = endpoint?.deployedModels.find(({ id }) => id === endpoint.labels['dap-stable'])
    const serves = serving?.model !== byDefault.model || serving.version === byDefault.version
    return byDefault.labels['dap-digest'] !== desired.model.digest || !serves
  })
  const ids = others.map(({ model }) => model.id)
  const versions = await Promise.all(ids.map(id => cloud.listVersions(id)))
  return { ...actual, models: [...actual.models.filter(({ model }) => !ids.includes(model)), ...versions.flat()] }
}

export function actualOf(actual: Actual, desired: Desired): ActualDeployment {
  return {
    endpoint: endpointOf(actual, desired),
    versions: actual.models.filter(({ model }) => model === desired.model.id),
    bundle: actual.bundles.has(desired.bundle.object),
  }
}

/** Desired, for an endpoint that was adopted: it keeps the id that somebody else gave it. */
export function located(desired: Desired, actual: Actual): Desired {
  const id = endpointOf(actual, desired)?.id ?? desired.endpoint.id
  return { ...desired, endpoint: { ...desired.endpoint, id } }
}

function endpointOf({ endpoints }: Actual, { endpoint, deployment }: Desired): Endpoint | undefined {
  return (
    endpoints.find(({ id }) => id === endpoint.id) ??
    endpoints.find(({ labels }) => labels['dap-deployment'] === deployment)
  )
}
