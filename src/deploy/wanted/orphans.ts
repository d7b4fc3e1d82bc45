/**
 * What is this repository's, and none of its Deployments declares: the file may be gone, the Deployment or its Environment may be called
 * otherwise now. It is listed always, deleted only when asked for, and while it still has traffic only when asked for by name: the file may
 * have been moved or emptied by mistake.
 */

import type { Orphan } from '../../generated/types.ts'
import { orphanKey, trafficText } from '../../titles.ts'
import type { Change } from '../change.ts'
import type { Place, Route } from '../routes.ts'
import type { Actual } from './actual.ts'
import type { Target } from './desired.ts'
import { type Declared, keyOf, type Naming, namingsOf } from './ownership.ts'
import { displayNames, nonZero, rolesOf } from './roles.ts'

/** All that Git declares. */
export interface Declarations {
  /** Deployments of the environment that is looked at. */
  readonly here: readonly Declared[]
  /** All Deployments, as `environment/deployment`. */
  readonly everywhere: ReadonlySet<string>
  /** Names of all Environments. */
  readonly environments: ReadonlySet<string>
}

export interface OrphanOptions {
  readonly declared: Declarations
  /** null: all. */
  readonly only: readonly string[] | null
  readonly prune: boolean
  /** Names whose protection is not to count. */
  readonly overrideProtection: readonly string[]
}

type Here = Pick<Target, 'protect' | 'environment'>

/** A place that the environment was deployed to before, and what it has of the repository. */
export interface Behind {
  readonly place: Place
  readonly actual: Actual
}

/**
 * What stays behind where the environment, or one of its Deployments, was before. An endpoint cannot change its place, and its callers have to
 * be told of the new one: it is deleted when that is asked for, and after what replaces it serves.
 */
export function behindOf({ place, actual }: Behind, target: Here, options: OrphanOptions): Orphan[] {
  const { declared, only, prune, overrideProtection } = options
  const names = new Set(declared.here.map(({ deployment }) => deployment))
  const before = new Set(namingsOf(declared.here, target.environment).map(keyOf))
  const models = new Map<string, string[]>()
  for (const release of actual.releases) {
    const naming = release.whose
    if (naming !== undefined) models.set(keyOf(naming), [...(models.get(keyOf(naming)) ?? []), release.shelf])
  }
  return actual.endpoints
    .flatMap((endpoint): Orphan[] => {
      const { environment, deployment } = endpoint.memory!
      const key = keyOf({ environment, deployment })
      if (environment !== target.environment && !before.has(key)) return []
      if (!(only?.includes(deployment) ?? true)) return []
      const own = models.get(key) ?? []
      const name = orphanKey({ environment, deployment, place }, target.environment)
      const kept = whyKept(endpoint, own, name, names.has(deployment))
      const changes = kept === null ? removal(endpoint, own, 'it is in another place by now') : []
      const { id, version: etag } = endpoint
      return [
        { kind: 'endpoint', id, deployment, environment, place, etag, kept, changes, names: displayNames(endpoint) },
      ]
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))

  function whyKept(endpoint: Route, own: readonly string[], name: string, replaced: boolean): string | null {
    const traffic = nonZero(endpoint.traffic)
    const serves =
      Object.keys(traffic).length > 0 ? ` with its traffic, ${trafficText(traffic, displayNames(endpoint))}` : ''
    if (!prune) return `it stays behind${serves}; \`--prune\` deletes it once what replaces it serves`
    const kept = keptBy(target, name, endpoint, own, overrideProtection)
    if (kept !== null || replaced || serves === '' || overrideProtection.includes(name)) return kept
    return `nothing replaces it, and it stays behind${serves}; \`--override-protection ${name}\` deletes it all the same`
  }
}

export function orphansOf(actual: Actual, target: Here, options: OrphanOptions): Orphan[] {
  const { declared, only } = options
  const names = new Set(declared.here.map(({ deployment }) => deployment))
  const used = new Set([...actual.found.values()].flatMap(({ endpoint, shelf }) => [endpoint, shelf]))
  /** One of another environment is that one's, unless Git has no such environment any more, or the Deployment is here by now. */
  const orphaned = (id: string, naming: Naming | undefined): naming is Naming =>
    naming !== undefined &&
    !used.has(id) &&
    !declared.everywhere.has(keyOf(naming)) &&
    (only?.includes(naming.deployment) ?? true) &&
    (naming.environment === target.environment ||
      !declared.environments.has(naming.environment) ||
      names.has(naming.deployment))

  /** A Deployment has no endpoint yet: it may be what the orphan is called now. */
  const isWithout = [...actual.found.values()].some(({ endpoint }) => endpoint === undefined)

  const models = new Map<string, Naming>()
  for (const release of actual.releases) {
    const naming = release.whose
    if (orphaned(release.shelf, naming)) models.set(release.shelf, naming)
  }
  const orphans = actual.endpoints.flatMap((endpoint): Orphan[] => {
    const naming = endpoint.memory
    if (!orphaned(endpoint.id, naming)) return []
    const own = [...models].filter(([, other]) => keyOf(other) === keyOf(naming)).map(([id]) => id)
    for (const id of own) models.delete(id)
    return [{ kind: 'endpoint', id: endpoint.id, etag: endpoint.version, ...fate(naming, endpoint, own) }]
  })
  for (const [id, naming] of models) orphans.push({ kind: 'model', id, etag: null, ...fate(naming, undefined, [id]) })
  return orphans.sort((a, b) => (a.id < b.id ? -1 : 1))

  function fate({ environment, deployment }: Naming, endpoint: Route | undefined, own: readonly string[]) {
    const kept = whyKept(orphanKey({ environment, deployment }, target.environment), environment, endpoint, own)
    const changes = kept === null ? removal(endpoint, own) : []
    return { deployment, environment, place: null, kept, changes, names: displayNames(endpoint) }
  }

  function whyKept(name: string, environment: string, endpoint: Route | undefined, own: readonly string[]) {
    const { prune, overrideProtection } = options
    const kept = prune ? keptBy(target, name, endpoint, own, overrideProtection) : null
    if (kept !== null) return kept
    const moved = environment === target.environment ? `deployment: ${name}` : `environment: ${environment}`
    const keep = prune || endpoint === undefined || !isWithout ? '' : `\`moved: { ${moved} }\` keeps it; `
    const traffic = nonZero(endpoint?.traffic ?? {})
    if (Object.keys(traffic).length === 0) return prune ? null : `${keep}\`--prune\` deletes it`
    if (prune && overrideProtection.includes(name)) return null
    const flags = `${prune ? '' : '--prune '}--override-protection ${name}`
    const serves = `it still has traffic, ${trafficText(traffic, displayNames(endpoint))}`
    return `${serves}; ${keep}\`${flags}\` deletes it all the same`
  }
}

/** Orphans that `--prune` leaves for their traffic alone, and that traffic in words: those to ask for by name. */
export function servingOrphans(
  actual: Actual,
  target: Here,
  options: OrphanOptions,
): { readonly name: string; readonly traffic: string }[] {
  // A protection of the Environment is not set aside by an answer.
  if (target.protect.length > 0) return []
  const everybody = actual.endpoints.flatMap(endpoint => {
    const naming = endpoint.memory
    return naming === undefined ? [] : [orphanKey(naming, target.environment)]
  })
  return orphansOf(actual, target, { ...options, overrideProtection: everybody }).flatMap(
    ({ deployment, environment, changes: [first], names }) => {
      const name = orphanKey({ environment, deployment }, target.environment)
      const serves = first?.kind === 'shift-traffic' && !options.overrideProtection.includes(name)
      return serves ? [{ name, traffic: trafficText(first.from, names) }] : []
    },
  )
}

/** Why a deployment is not to be deleted; null: it may be. */
export function keptBy(
  { protect }: Pick<Target, 'protect'>,
  deployment: string,
  endpoint: Route | undefined,
  models: readonly string[],
  overrideProtection: readonly string[],
): string | null {
  const foreign = endpoint && rolesOf(endpoint, { model: { id: models[0] ?? '' } }).foreign
  if (foreign && foreign.length > 0) return `somebody else has deployed ${foreign[0].displayName} to it`
  const serves = endpoint !== undefined && endpoint.workloads.length > 0
  const by = protect.find(what => what === 'delete' || serves)
  if (by === undefined || overrideProtection.includes(deployment)) return null
  return `the environment protects it: \`protect: [${by}]\`; \`--override-protection ${deployment}\` deletes it all the same`
}

const UNDECLARED = 'no Deployment declares it'

/** From what there is to nothing. As with every list of changes, what is left after the first one is the rest. */
export function removal(endpoint: Route | undefined, models: readonly string[], reason = UNDECLARED): Change[] {
  const changes: Change[] = []
  if (endpoint !== undefined) {
    const from = nonZero(endpoint.traffic)
    if (Object.keys(from).length > 0) changes.push({ kind: 'shift-traffic', from, to: {}, reason, fields: [] })
    for (const { id } of endpoint.workloads) {
      changes.push({ kind: 'undeploy-model', deployedModel: id, reason, fields: [] })
    }
    changes.push({ kind: 'delete-endpoint', endpoint: endpoint.id, reason, fields: [] })
  }
  for (const model of models) changes.push({ kind: 'delete-model', model, reason, fields: [] })
  return changes
}
