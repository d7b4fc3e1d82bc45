import type { Change } from './change.ts'
import type { Endpoint, Traffic } from './cloud.ts'

/** A change in a few words, as events and outcomes name it. */
export function titleOf(change: Change): string {
  switch (change.kind) {
    case 'create-endpoint':
      return `create endpoint ${change.endpoint}`
    case 'update-endpoint':
      return `update endpoint ${change.endpoint}`
    case 'upload-bundle':
      return `upload ${change.object}`
    case 'upload-model':
      return `upload a version of model ${change.model}`
    case 'deploy-model':
      return `deploy ${change.deployedModel} without traffic`
    case 'mutate-model':
      return `scale ${change.deployedModel}`
    case 'shift-traffic':
      return `move traffic to ${trafficTitle(change.to)}`
    case 'hold':
      return `hold step ${change.step + 1} for ${Math.round(change.holdMs / 1000)} s`
    case 'promote':
      return `promote ${change.deployedModel}`
    case 'undeploy-model':
      return `undeploy ${change.deployedModel}`
    case 'delete-endpoint':
      return `delete endpoint ${change.endpoint}`
    case 'delete-model':
      return `delete model ${change.model}`
    case 'delete-version':
      return `delete version ${change.version} of model ${change.model}`
    case 'delete-bundle':
      return `delete ${change.object}`
  }
}

function trafficTitle(traffic: Traffic): string {
  const parts = Object.entries(traffic).filter(([, percent]) => percent > 0)
  return parts.map(([model, percent]) => `${model} ${percent} %`).join(', ') || 'nobody'
}

/** Of an endpoint's deployed models, by id. */
export function displayNames(endpoint: Endpoint | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(endpoint?.deployedModels.map(({ id, displayName }) => [id, displayName]) ?? [])
}
