/**
 * What carries the labels of a project and an environment, and no Deployment declares. It is listed always, deleted only when asked for,
 * and while it still has traffic only when asked for by name: the file of its Deployment may have been moved or emptied by mistake.
 */
import { trafficText } from '../titles.ts'
import type { Actual } from './actual.ts'
import type { Change } from './change.ts'
import type { Endpoint } from './cloud.ts'
import type { Target } from './desired.ts'
import type { Orphan } from './plan.ts'
import { displayNames, nonZero, rolesOf } from './roles.ts'

export interface OrphanOptions {
  /** Names of all Deployments of the environment. */
  readonly declared: ReadonlySet<string>
  /** null: all. */
  readonly only: readonly string[] | null
  readonly prune: boolean
  /** Names whose protection is not to count. */
  readonly overrideProtection: readonly string[]
}

export function orphansOf(actual: Actual, target: Pick<Target, 'protect'>, options: OrphanOptions): Orphan[] {
  const orphaned = ({ labels }: { labels: Endpoint['labels'] }) => {
    const name = labels['dap-deployment']
    if (name === undefined) return options.only === null
    return !options.declared.has(name) && (options.only?.includes(name) ?? true)
  }
  const models = new Map(actual.models.filter(orphaned).map(({ model, labels }) => [model, labels]))
  const orphans = actual.endpoints.filter(orphaned).map((endpoint): Orphan => {
    const name = endpoint.labels['dap-deployment'] ?? null
    const own = [...models].filter(([, labels]) => name !== null && labels['dap-deployment'] === name).map(([id]) => id)
    for (const id of own) models.delete(id)
    return { kind: 'endpoint', id: endpoint.id, deployment: name, etag: endpoint.etag, ...fate(name, endpoint, own) }
  })
  for (const [id, labels] of models) {
    const name = labels['dap-deployment'] ?? null
    orphans.push({ kind: 'model', id, deployment: name, etag: null, ...fate(name, undefined, [id]) })
  }
  return orphans.sort((a, b) => (a.id < b.id ? -1 : 1))

  function fate(name: string | null, endpoint: Endpoint | undefined, own: readonly string[]) {
    const kept = whyKept(name, endpoint, own)
    return { kept, changes: kept === null ? removal(endpoint, own) : [], names: displayNames(endpoint) }
  }

  function whyKept(name: string | null, endpoint: Endpoint | undefined, own: readonly string[]): string | null {
    const { prune, overrideProtection } = options
    if (name === null) return prune ? 'its labels do not say whose it is' : '`--prune` deletes it'
    const kept = prune ? keptBy(target, name, endpoint, own, overrideProtection) : null
    if (kept !== null) return kept
    const traffic = nonZero(endpoint?.traffic ?? {})
    if (Object.keys(traffic).length === 0) return prune ? null : '`--prune` deletes it'
    if (prune && overrideProtection.includes(name)) return null
    const flags = `${prune ? '' : '--prune '}--override-protection ${name}`
    return `it still has traffic, ${trafficText(traffic, displayNames(endpoint))}; \`${flags}\` deletes it all the same`
  }
}

/** Orphans that `--prune` leaves for their traffic alone, and that traffic in words: those to ask for by name. */
export function servingOrphans(
  actual: Actual,
  target: Pick<Target, 'protect'>,
  options: OrphanOptions,
): { readonly deployment: string; readonly traffic: string }[] {
  // A protection of the Environment is not set aside by an answer.
  if (target.protect.length > 0) return []
  const everybody = actual.endpoints.flatMap(({ labels }) => labels['dap-deployment'] ?? [])
  return orphansOf(actual, target, { ...options, overrideProtection: everybody }).flatMap(
    ({ deployment, changes: [first], names }) =>
      first?.kind !== 'shift-traffic' || deployment === null || options.overrideProtection.includes(deployment)
        ? []
        : [{ deployment, traffic: trafficText(first.from, names) }],
  )
}

/** Why a deployment is not to be deleted; null: it may be. */
export function keptBy(
  { protect }: Pick<Target, 'protect'>,
  deployment: string,
  endpoint: Endpoint | undefined,
  models: readonly string[],
  overrideProtection: readonly string[],
): string | null {
  const foreign = endpoint && rolesOf(endpoint, { model: { id: models[0] ?? '' } }).foreign
  if (foreign && foreign.length > 0) return `somebody else has deployed ${foreign[0].displayName} to it`
  const serves = endpoint !== undefined && endpoint.deployedModels.length > 0
  const by = protect.find(what => what === 'delete' || serves)
  if (by === undefined || overrideProtection.includes(deployment)) return null
  return `the environment protects it: \`protect: [${by}]\`; \`--override-protection ${deployment}\` deletes it all the same`
}

const UNDECLARED = 'no Deployment declares it'

/** From what there is to nothing. As with every list of changes, what is left after the first one is the rest. */
export function removal(endpoint: Endpoint | undefined, models: readonly string[], reason = UNDECLARED): Change[] {
  const changes: Change[] = []
  if (endpoint !== undefined) {
    const from = nonZero(endpoint.traffic)
    if (Object.keys(from).length > 0) changes.push({ kind: 'shift-traffic', from, to: {}, reason, fields: [] })
    for (const { id } of endpoint.deployedModels) {
      changes.push({ kind: 'undeploy-model', deployedModel: id, reason, fields: [] })
    }
    changes.push({ kind: 'delete-endpoint', endpoint: endpoint.id, reason, fields: [] })
  }
  for (const model of models) changes.push({ kind: 'delete-model', model, reason, fields: [] })
  return changes
}
