import type { TextContext } from '../command.ts'
import type { Change, FieldChange } from '../deploy/change.ts'
import type { Gate } from '../deploy/wanted/desired.ts'
import type { Foreign } from '../deploy/wanted/ownership.ts'
import type { DeploymentPlan, EvidenceState, Orphan, Overlap, Plan } from '../deploy/wanted/plan.ts'
import { shortDigest } from '../digest.ts'
import type { ValueChange } from '../generated/types.ts'
import type { Figure } from '../results.ts'
import { changeTitle, durationText, type ModelName, orphanKey, otherFindings, ruleText } from '../titles.ts'
import { cleaned, driftTable, indented, orphanName, shortCommit, tally, timeText } from './cloud.ts'
import { percent, short, signed } from './numbers.ts'
import type { Style } from './style.ts'

/** What a deploy would do and why, deployment by deployment; those where nothing happens are one line in all. */
export function planText(untrusted: Plan, context: TextContext): string {
  const plan = cleaned(untrusted)
  const { style } = context
  const quiet = plan.deployments.filter(isQuiet)
  const parts = [
    headText(plan, style),
    ...plan.deployments.filter(each => !isQuiet(each)).map(each => deploymentText(each, context)),
    ...(quiet.length === 0 ? [] : [quietText(quiet, context)]),
    ...(plan.orphans.length === 0 ? [] : [orphansText(plan.orphans, plan.environment.name, context)]),
    ...(plan.foreign.length === 0 ? [] : [foreignText(plan.foreign, plan.environment.name, context)]),
    ...rulesParts(plan, style),
    ...(plan.notes.length === 0 ? [] : [plan.notes.map(note => labelled('note', note, style)).join('\n')]),
    planSummary(plan),
  ]
  return parts.join('\n\n')
}

/** What the repository's rules say beyond the obstacles of its deployments. */
function rulesParts(plan: Plan, style: Style): string[] {
  const lines = otherFindings(plan).map(finding => {
    const { deployment, level } = finding
    return `${level === 'block' ? style.red('blocked') : style.yellow('warning')}: ${deployment}: ${ruleText(finding)}`
  })
  return lines.length === 0 ? [] : [lines.join('\n')]
}

/** `2 to create, 1 to replace, 3 unchanged`. */
export function planSummary({ deployments, orphans }: Plan): string {
  const blocked = deployments.filter(each => each.blocked.length > 0).length
  const doomed = orphans.filter(each => each.changes.length > 0).length
  if (deployments.every(each => each.action === 'none') && doomed + blocked === 0) {
    const held = deployments.filter(each => each.held).length
    if (held > 0) return `Nothing to do: ${held} held.`
    const synced = orphans.length === 0 && deployments.every(each => each.fields.length + each.drift.length === 0)
    return synced ? 'Nothing to do: what runs is what Git says.' : 'Nothing to do.'
  }
  const counts = tally(
    deployments.map(each => (each.held && each.action === 'none' ? 'held' : each.action)),
    {
      create: 'to create',
      update: 'to update',
      replace: 'to replace',
      continue: 'to continue',
      held: 'held',
      none: 'unchanged',
    },
  )
  return [counts, ...(doomed > 0 ? [`${doomed} to delete`] : []), ...(blocked > 0 ? [`${blocked} blocked`] : [])]
    .filter(text => text !== '')
    .join(', ')
}

/** `=` and its like: an action without colours. */
export const symbolOf = ({ action, blocked, held }: DeploymentPlan) =>
  blocked.length > 0 ? '!' : held && action === 'none' ? '←' : SYMBOLS[action]

const SYMBOLS = { create: '+', update: '~', replace: '±', continue: '→', none: '=' } as const

/** Nothing happens to it and nothing is to be said of it; evidence matters to what is to happen alone. */
export const isQuiet = ({ action, fields, drift, blocked, notes }: DeploymentPlan) =>
  action === 'none' && fields.length + drift.length + blocked.length + notes.length === 0

/** A line of a plan: a change, or a shift of traffic with the hold that follows it. */
export interface Step {
  readonly title: string
  /** `hold 10m while …`; empty where nothing is held. */
  readonly hold: string
  /** Empty where it is that of the step before. */
  readonly reason: string
}

export function stepsOf(changes: readonly Change[], gates: readonly Gate[], nameOf?: ModelName): Step[] {
  return changes.flatMap((change, i) => {
    const [before, after] = [i > 0 ? changes[i - 1] : undefined, changes[i + 1]]
    const reason = before?.reason === change.reason ? '' : change.reason
    if (change.kind === 'hold') {
      return before?.kind === 'shift-traffic'
        ? []
        : [{ title: changeTitle(change) + gatesText(gates), hold: '', reason }]
    }
    const held = change.kind === 'shift-traffic' && after?.kind === 'hold'
    return [{ title: changeTitle(change, nameOf), hold: held ? changeTitle(after) + gatesText(gates) : '', reason }]
  })
}

/** By what it is deployed as, which outlives a new name of the Deployment; or is to be. */
export const namesOf =
  ({ desired, names }: DeploymentPlan): ModelName =>
  id =>
    names[id] ?? (id === desired.deployed.id ? desired.deployed.displayName : id)

export function fieldText({ before, after }: FieldChange): string {
  return before === null ? after || 'none' : `${before || 'none'} → ${after || 'none'}`
}

/** Inside of what was there before: what has no value now had one, or will have. */
export const valueText = ({ before, after }: ValueChange) => `${before ?? 'none'} → ${after ?? 'none'}`

export function overlapText({ machineType, minReplicas, maxReplicas, vcpus, ms, cost }: Overlap): string {
  const quota = vcpus === null ? `${maxReplicas} more ${machineType}` : `+${short(vcpus)} vCPUs`
  const money =
    cost === null
      ? ''
      : `, cost ${cost.least === cost.most ? short(cost.most) : `${short(cost.least)} to ${short(cost.most)}`}`
  const replicas = minReplicas === maxReplicas ? `${maxReplicas}` : `${minReplicas} to ${maxReplicas}`
  return `two versions for up to ${durationText(ms)}: ${quota} of quota, ${replicas} × ${machineType}${money}`
}

const gatesText = (gates: readonly Gate[]) =>
  gates.length === 0
    ? ''
    : ` while ${gates.map(gate => (gate.metric === 'errorRate' ? `errorRate ≤ ${percent(gate.max)}` : `latencyP99 ≤ ${gate.maxMs} ms`)).join(' and ')}`

function headText({ environment: { name, project, place }, header, digest, only }: Plan, style: Style): string {
  const where = place.target === 'emulator' ? 'the emulator' : `${place.project}, ${place.region}`
  const facts = [
    ...(header.commit === null
      ? []
      : [`commit ${shortCommit(header.commit.id)}${header.commit.dirty ? ' with uncommitted changes' : ''}`]),
    `good until ${timeText(header.expires)}`,
    `digest ${shortDigest(digest)}`,
  ]
  const scope = only === null ? '' : `, only ${only.join(', ')}`
  return `${style.bold(`Plan of ${project} for ${name}`)}: ${where}${scope}\n${style.dim(facts.join(', '))}`
}

function deploymentText(plan: DeploymentPlan, { style, columns }: TextContext): string {
  const { deployment, desired, fields, changes, drift, evidence, blocked, notes, overlap } = plan
  const what = [wordOf(plan), ...(blocked.length > 0 ? ['blocked'] : [])].join(', ')
  const head = `${paintSymbol(plan, style)} ${style.bold(deployment)}  ${what}`
  const body = [
    ...fieldLines(fields, columns - 2, style),
    ...stepLines(stepsOf(changes, desired.rollout.gates, namesOf(plan)), columns - 2, style),
    ...(drift.length === 0 ? [] : [driftTable(drift, { style, columns: columns - 2 })]),
    ...(changes.length === 0 ? [] : evidenceLines(evidence, columns - 2, style)),
    ...(overlap === null ? [] : [labelled('overlap', overlapText(overlap), style)]),
    ...notes.map(note => labelled('note', note, style)),
    ...blocked.flatMap(({ reason, hint }) => [
      `${style.red('blocked')}: ${reason}`,
      `  ${style.cyan('hint:')} ${hint}`,
    ]),
  ]
  return [head, indented(body.join('\n'))].join('\n')
}

/** What is held is never called unchanged. */
export function wordOf({ action, held }: DeploymentPlan): string {
  if (held) return action === 'none' ? 'held' : `${action}, its version held`
  return action === 'none' ? 'unchanged' : action
}

function paintSymbol(plan: DeploymentPlan, style: Style): string {
  const symbol = symbolOf(plan)
  const paint = {
    '+': style.green,
    '~': style.yellow,
    '±': style.yellow,
    '→': style.cyan,
    '=': style.dim,
    '←': style.yellow,
    '!': style.red,
  }
  return paint[symbol](symbol)
}

function fieldLines(fields: readonly FieldChange[], columns: number, style: Style): string[] {
  const width = Math.max(0, ...fields.map(({ field }) => field.length))
  return fields.flatMap(change => {
    const { field, before, after, replaces } = change
    const margin = `${field.padEnd(width)}  `
    const texts: Part[] =
      before === null
        ? [[margin, after || 'none']]
        : [
            [margin, before || 'none'],
            [' → ', after || 'none'],
            ['  ', replaces ? 'replaces' : '', style.yellow],
          ]
    const { fields: inner, more } = change.within ?? { fields: [], more: 0 }
    return [
      wrapped(columns, ...texts).replace(field, style.dim),
      ...inner.map(each => wrapped(columns, ['  ', each.field], ['  ', valueText(each)])),
      ...(more === 0 ? [] : [`  and ${more} more`]),
    ]
  })
}

/** `1. title, hold  reason` */
function stepLines(steps: readonly Step[], columns: number, style: Style): string[] {
  return steps.map(({ title, hold, reason }, i) => {
    const number = `${i + 1}. `.padStart(String(steps.length).length + 2)
    return wrapped(columns, [number, title], [', ', hold], ['  ', reason, style.dim])
  })
}

type Part = readonly [gap: string, text: string, paint?: (text: string) => string]

/** What does not fit stands on the next line, below the first text; empty texts are left out. */
function wrapped(columns: number, ...[[margin, first], ...parts]: readonly Part[]): string {
  let text = margin + first
  let width = text.length
  for (const [gap, part, paint = (each: string) => each] of parts) {
    if (part === '') continue
    const fits = width + gap.length + part.length <= columns
    width = fits ? width + gap.length + part.length : margin.length + part.length
    text += (fits ? gap : `${gap.trimEnd()}\n${' '.repeat(margin.length)}`) + paint(part)
  }
  return text
}

/** What is not passed blocks the plan; the block says why, and what to do. */
const evidenceLines = (evidence: readonly EvidenceState[], columns: number, style: Style) =>
  evidence.map(({ kind, name, state, figure }) =>
    wrapped(
      columns,
      ['evidence  ', `${kind} ${name}`],
      [' ', state, state === 'passed' ? undefined : style.red],
      ['  ', figure === null ? '' : figureText(figure)],
    ).replace(/^evidence/, style.dim),
  )

/** `lift +0.0254 [+0.0147, +0.0358] by dr`: three digits, so that most names fit before it. */
export function figureText({ quantity, estimator, verdict, value, lower, upper }: Figure): string {
  const text = (number: number) => (quantity === 'lift' ? signed : short)(Number(number.toPrecision(3)))
  const by = estimator === null ? '' : ` by ${estimator}`
  return `${quantity} ${text(value)} [${text(lower)}, ${text(upper)}]${by}${verdict === 'caution' ? ', caution' : ''}`
}

const labelled = (label: string, text: string, style: Style) => `${style.dim(label.padEnd(8))}  ${text}`

/** As many names as a line holds. */
function quietText(quiet: readonly DeploymentPlan[], { style, columns }: TextContext): string {
  let line = `= ${quiet.length} unchanged:`
  for (const [i, { deployment }] of quiet.entries()) {
    const more = ` and ${quiet.length - i} more`
    if (line.length + deployment.length + 1 + more.length > columns) return style.dim(line.replace(/,$/, '') + more)
    line += ` ${deployment},`
  }
  return style.dim(line.slice(0, -1))
}

/** Others may call theirs the same. */
export function foreignText(foreign: readonly Foreign[], environment: string, { style, columns }: TextContext): string {
  const lines = foreign.map(each => keptText(foreignName(each, environment), [ownerText(each)], columns, style))
  return [
    style.bold('of other repositories, under the same names: not touched'),
    ...lines.map(line => indented(line)),
    indented(`${style.cyan('hint:')} \`dap adopt ID --override-owner PROJECT_ID\` takes one over`),
  ].join('\n')
}

/** Something that stays, and why: what does not fit stands below it. */
const keptText = (name: string, [first, ...why]: readonly string[], columns: number, style: Style) =>
  wrapped(columns - 2, ['= ', name], ['  ', first], ...why.map((part): Part => ['; ', part])).replace('=', style.dim)

export const foreignName = ({ id, ...naming }: Foreign, environment: string) =>
  `endpoint ${id} (${orphanKey(naming, environment)})`

export function ownerText({ id, project, owner, deployment }: Foreign): string {
  if (project === '') return `nothing says any more whose it is: \`dap adopt ${id} --name ${deployment}\` if it is ours`
  return `of project ${project}, ${owner === null ? 'which has no projectId' : `projectId ${owner}`}`
}

export const orphanNames =
  ({ names }: Orphan): ModelName =>
  id =>
    names[id] ?? id

export function orphansText(orphans: readonly Orphan[], environment: string, { style, columns }: TextContext): string {
  const lines = orphans.flatMap(orphan => {
    if (orphan.changes.length === 0)
      return keptText(orphanName(orphan, environment), (orphan.kept ?? '').split('; '), columns, style)
    const steps = stepLines(stepsOf(orphan.changes, [], orphanNames(orphan)), columns - 4, style)
    return [`${style.red('-')} ${orphanName(orphan, environment)}  delete`, ...steps.map(step => indented(step))]
  })
  return [style.bold('orphans, which no Deployment in Git declares'), ...lines.map(line => indented(line))].join('\n')
}
