import { DapError } from '../../errors.ts'
import { identityOf, type Memory } from '../memory.ts'
import { isModelId } from '../names.ts'
import type { Route, Workload } from '../routes.ts'
import { isOurs } from '../wanted/ownership.ts'

/** An endpoint that somebody else has made, as a deployment. */
export interface Adoption {
  /** To be written to the endpoint, beside what it has. */
  readonly memory: Memory
  /** The Deployment's file. */
  readonly yaml: string
  /** What the file cannot say, a sentence each. */
  readonly lost: readonly string[]
}

export interface Adopter {
  readonly projectId: string
  readonly project: string
  readonly environment: string
  readonly deployment: string
  readonly policy: string
  /** The environment's. */
  readonly serviceAccount: string | null
}

/**
 * What serves on it becomes the stable version, so that the first deploy moves traffic away from it step by step. A DapError where the
 * endpoint belongs to another deployment, or to another repository, unless `from` names that: its `projectId`, or its project's name where
 * it is older than those.
 */
export function adopt(endpoint: Route, adopter: Adopter, from: string | undefined): Adoption {
  const { environment, deployment } = adopter
  const { memory: remembered } = endpoint
  const ours = remembered && isOurs(remembered, adopter) ? remembered : undefined
  if (remembered && ours === undefined) refuseTaking(endpoint, remembered, from)
  if (ours && (ours.environment !== environment || ours.deployment !== deployment)) {
    const owner = `\`${ours.deployment}\` of ${ours.project}, environment ${ours.environment}`
    throw new DapError(`\`${endpoint.id}\` belongs to deployment ${owner}`, {
      hint: '`moved:` in the Deployment says what it was called before',
    })
  }
  const share = ({ id }: Workload) => endpoint.traffic[id] ?? 0
  const serving = [...endpoint.workloads].sort((a, b) => share(b) - share(a))[0] as Workload | undefined
  return {
    memory: {
      // Whoever remembered it: what serves, what is on its way and what is held are facts.
      ...remembered,
      ...identityOf(adopter, adopter),
      stable: remembered?.stable ?? serving?.id,
      traffic: endpoint.traffic,
      scale: serving?.scale,
    },
    yaml: deploymentYaml(endpoint, serving, adopter),
    lost: lostOf(endpoint, serving, adopter, remembered),
  }
}

function refuseTaking({ id }: Route, { owner, project, deployment }: Memory, from: string | undefined): void {
  const name = owner ?? project
  if (from === name) return
  throw new DapError(`\`${id}\` belongs to deployment \`${deployment}\` of another repository, ${project}`, {
    hint: `\`--override-owner ${name}\` takes it away from there`,
  })
}

function lostOf(
  endpoint: Route,
  serving: Workload | undefined,
  adopter: Adopter,
  remembered: Memory | undefined,
): string[] {
  const lost: string[] = []
  if (serving === undefined) return ['nothing is deployed to it: the resources are defaults']
  const name = serving.displayName || serving.id
  if (!isModelId(serving.shelf)) {
    lost.push(`${name} serves something that dap has not made: the first deploy replaces it`)
  }
  if (!serving.machineType) lost.push('its machines are chosen by the cloud; the Deployment names a type')
  if (serving.serviceAccount !== adopter.serviceAccount) {
    lost.push(`it runs as ${serving.serviceAccount ?? 'the default service account'}, which is not the environment's`)
  }
  for (const other of endpoint.workloads) {
    const known = [remembered?.stable, remembered?.candidate, remembered?.previous].includes(other.id)
    if (other.id !== serving.id && !known && !isModelId(other.shelf))
      lost.push(`${other.displayName || other.id} is deployed as well, and stays somebody else's`)
  }
  if (endpoint.displayName !== adopter.deployment) {
    lost.push(`its display name "${endpoint.displayName}" becomes "${adopter.deployment}"`)
  }
  return lost
}

function deploymentYaml(
  { dedicated, requestLog }: Route,
  serving: Workload | undefined,
  { deployment, environment, policy }: Adopter,
): string {
  const lines = [
    'apiVersion: dap/v1',
    'kind: Deployment',
    'metadata:',
    `  name: ${deployment}`,
    'spec:',
    `  environment: ${environment}`,
    `  policy: ${policy}`,
  ]
  if (serving !== undefined) {
    const { minReplicas, maxReplicas, targetCpu } = serving.scale
    lines.push('  resources:')
    if (serving.machineType) lines.push(`    machineType: ${serving.machineType}`)
    lines.push(
      `    minReplicas: ${minReplicas}`,
      `    maxReplicas: ${maxReplicas}`,
      `    targetCpu: ${targetCpu / 100}`,
    )
  }
  lines.push('  endpoint:', `    type: ${dedicated ? 'dedicated' : 'shared'}`)
  if (requestLog !== null) {
    lines.push('  requestLog:', `    sample: ${requestLog.sample}`, `    table: ${JSON.stringify(requestLog.table)}`)
  }
  return `${lines.join('\n')}\n`
}
