/** How plans, the events of a deploy and results call one change, and what a result depends on: the same words everywhere. */
import type { Change } from './deploy/change.ts'
import type { Traffic } from './deploy/routes.ts'
import type { Plan, RuleFinding } from './generated/types.ts'
import type { Input } from './results.ts'

/** What to call a deployed model: its display name where it is known, else its id. */
export type ModelName = (id: string) => string

/** `move 10 % of traffic to shop-offer-91b0c3d4e5f6`: what is done, in the imperative, without a full stop. */
export function changeTitle(change: Change, nameOf: ModelName = id => id): string {
  switch (change.kind) {
    case 'create-endpoint':
      return `create endpoint ${change.endpoint}`
    case 'update-endpoint':
      return `update endpoint ${change.endpoint}`
    case 'upload-bundle':
      return `upload bundle ${change.object}`
    case 'upload-model':
      return `upload a version of model ${change.model}`
    case 'deploy-model':
      return `deploy ${nameOf(change.deployedModel)} without traffic`
    case 'mutate-model':
      return `change the scale of ${nameOf(change.deployedModel)}`
    case 'shift-traffic':
      return shiftTitle(change.from, change.to, nameOf)
    case 'hold':
      return `hold ${durationText(change.holdMs)}`
    case 'label-endpoint':
      return `label endpoint ${change.endpoint}`
    case 'label-model':
      return `label version ${change.version} of model ${change.model}`
    case 'release-hold':
      return `release the hold on what was rolled back of model ${change.model}`
    case 'promote':
      return `promote ${nameOf(change.deployedModel)}`
    case 'undeploy-model':
      return `undeploy ${nameOf(change.deployedModel)}`
    case 'delete-endpoint':
      return `delete endpoint ${change.endpoint}`
    case 'delete-version':
      return `delete version ${change.version} of model ${change.model}`
    case 'delete-model':
      return `delete model ${change.model}`
  }
}

/** What `--override-protection` calls an orphan: `offer`, `staging/offer` of another environment, `games-ml/us-central1/offer` elsewhere. */
export function orphanKey(
  orphan: {
    readonly environment: string
    readonly deployment: string
    readonly place?: { readonly project: string; readonly region: string } | null
  },
  environment: string,
): string {
  const { deployment, place } = orphan
  if (place) return `${place.project}/${place.region}/${deployment}`
  return orphan.environment === environment ? deployment : `${orphan.environment}/${deployment}`
}

/** Named after the models that gain: who loses follows from it. */
function shiftTitle(from: Traffic, to: Traffic, nameOf: ModelName): string {
  const gaining = Object.keys(to).filter(id => to[id] > (from[id] ?? 0))
  if (gaining.length === 0) return 'take all traffic away'
  const parts = gaining.map(id => (to[id] === 100 ? `all traffic to ${nameOf(id)}` : `${to[id]} % to ${nameOf(id)}`))
  const [first] = gaining
  return gaining.length === 1 && to[first] < 100
    ? `move ${to[first]} % of traffic to ${nameOf(first)}`
    : `move ${parts.join(', ')}`
}

/** `90 % shop-offer-3fa9c1d2e4b5, 10 % 4031772213`, the largest share first; by name, where that is known. */
export function trafficText(traffic: Traffic, names: Readonly<Record<string, string>> = {}): string {
  const shares = Object.entries(traffic).filter(([, share]) => share > 0)
  shares.sort(([a, x], [b, y]) => y - x || Number(a) - Number(b))
  return shares.map(([id, share]) => `${share} % ${names[id] || id}`).join(', ') || 'none'
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** `10m`, `1h 30m`, `24h 40m`: the two largest units, down to a second; days only where they come out even. */
export function durationText(ms: number): string {
  if (ms > 0 && ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.round(ms / 1000) * 1000
  if (seconds >= 172_800_000 && seconds % 86_400_000 === 0) return `${seconds / 86_400_000}d`
  const [first, second] = [...UNITS.filter(([, size]) => seconds >= size), ...UNITS.slice(-1)]
  const whole = Math.floor(seconds / first[1])
  const rest = second === undefined ? 0 : Math.floor((seconds % first[1]) / second[1])
  return rest === 0 ? `${whole}${first[0]}` : `${whole}${first[0]} ${rest}${second[0]}`
}

/** ``the table `tables/by-platform.csv` of candidate `by-platform` ``: no two inputs of a result have the same. */
export function inputTitle({ kind, name, candidate }: Omit<Input, 'digest'>): string {
  if (kind === 'data') return `the data of dataset \`${name}\``
  if (kind === 'model-file') return `the file \`${name}\` of a model`
  return candidate === undefined ? `${kind} \`${name}\`` : `the ${kind} \`${name}\` of candidate \`${candidate}\``
}

export const ruleText = ({ rule, message }: RuleFinding) => `rule \`${rule}\`: ${message}`

export const ruleHint = ({ rule }: RuleFinding) => `\`rules/${rule}.cel\` says so`

/** What a repository's rules say of a plan that no obstacle of a deployment tells. */
export const otherFindings = ({ rules = [], deployments }: Plan): readonly RuleFinding[] =>
  rules.filter(({ level, deployment }) => level === 'warn' || !deployments.some(each => each.deployment === deployment))
