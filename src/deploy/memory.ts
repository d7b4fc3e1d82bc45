/**
 * What dap remembers of an endpoint is in the endpoint's labels, and once more on the default version of its model: an ordinary edit of an
 * endpoint's labels replaces all of them.
 */
import { canonicalJson } from '../policy/digest.ts'
import type { Cloud, Endpoint, Labels, ModelVersion } from './cloud.ts'
import type { Desired } from './desired.ts'
import { contentLabels, type EndpointLabels, readVersionLabels, rememberingLabels } from './labels.ts'
import { createBackoff, type Patience } from './patience.ts'

export function defaultVersion(versions: readonly ModelVersion[], model: string): ModelVersion | undefined {
  return versions.find(each => each.model === model && each.aliases.includes('default'))
}

/**
 * The labels that a default version is to have, from those of its endpoint; undefined where it has them. What the version is made of is put
 * back as well, where it is known: it is deployed as what is `desired`.
 */
export function toRemember(
  version: ModelVersion,
  endpoint: Endpoint,
  labels: EndpointLabels,
  desired: Desired | undefined,
): Labels | undefined {
  const deployed = endpoint.deployedModels.find(({ id }) => id === desired?.deployed.id)
  const known = desired !== undefined && deployed?.model === version.model && deployed.version === version.version
  const made = known && readVersionLabels(version.labels) === undefined ? contentLabels(desired) : {}
  const wanted = rememberingLabels({ ...version.labels, ...made }, endpoint.id, labels)
  return canonicalJson(wanted) === canonicalJson(version.labels) ? undefined : wanted
}

/** Writes it. */
export async function remember(
  {
    cloud,
    model,
    versions,
  }: { readonly cloud: Cloud; readonly model: string; readonly versions: readonly ModelVersion[] },
  endpoint: Endpoint,
  labels: EndpointLabels,
  desired: Desired | undefined,
  patience: Patience,
  budgetMs?: number,
): Promise<void> {
  const backoff = createBackoff(patience, { races: true, budgetMs })
  for (let known = versions; ; ) {
    const version = defaultVersion(known, model)
    const wanted = version && toRemember(version, endpoint, labels, desired)
    if (wanted === undefined) return
    try {
      await cloud.updateVersion(model, version!.version, { etag: version!.etag, labels: wanted })
      return
    } catch (failure) {
      await backoff('updateVersion', failure)
      known = await cloud.listVersions(model)
    }
  }
}
