import type { RetryEvent, TextContext } from '../command.ts'
import type { DeployEvent, DeploymentState, GateReading } from '../deploy/doing/events.ts'
import type { DeploymentOutcome, DeployResult } from '../results.ts'
import { durationText, trafficText } from '../titles.ts'
import { cleaned, indented, tally } from './cloud.ts'
import { grouped, percent, plural } from './numbers.ts'
import type { Style } from './style.ts'

/** How each deployment stands after a run, what was done to it, and what to do next. */
export function deployText(untrusted: DeployResult, { style }: TextContext): string {
  const result = cleaned(untrusted)
  const parts = [
    ...result.deployments.filter(each => !isQuiet(each)).map(each => outcomeText(each, result, style)),
    tally(
      result.deployments.map(({ state }) => state),
      STATE_WORDS,
    ) || 'Nothing to do.',
  ]
  return parts.join('\n\n')
}

const isQuiet = ({ state, reason, hint }: DeploymentOutcome) =>
  state === 'unchanged' && reason === null && hint === null

/** `rolled-back` in words. */
export const STATE_WORDS: Readonly<Record<DeploymentState, string>> = {
  applied: 'applied',
  rolling: 'rolling out',
  paused: 'paused',
  'rolled-back': 'rolled back',
  held: 'on hold',
  failed: 'failed',
  conflict: 'in conflict',
  interrupted: 'interrupted',
  unchanged: 'unchanged',
}

export const STATE_SYMBOLS: Readonly<Record<DeploymentState, string>> = {
  applied: '✓',
  rolling: '→',
  paused: '!',
  'rolled-back': '←',
  held: '←',
  failed: '✗',
  conflict: '!',
  interrupted: '!',
  unchanged: '=',
}

/** `0.3 % of 1,204 requests, 1 % is allowed`. */
export function readingText({ metric, requests, share, allowed }: GateReading): string {
  const bad = metric === 'latencyP99' ? ' too slow' : ''
  if (share === null) return 'no requests yet'
  return `${percent(share)} of ${plural(requests, 'request')}${bad}, ${percent(allowed)} is allowed`
}

/** `ADDING_NODES_TO_CLUSTER` as a reader would write it. */
export const stageText = (stage: string) =>
  stage.charAt(0).toUpperCase() + stage.slice(1).toLowerCase().replaceAll('_', ' ')

/** What CI's log gets of an event: one line, or nothing where it only says that something still goes on. */
export function deployLine(untrusted: DeployEvent): string | undefined {
  const event = cleaned(untrusted)
  const text = lineOf(event)
  return text === undefined ? undefined : `${event.deployment}: ${text}`
}

/** Why nothing happens for so long. */
export function retryLine(untrusted: RetryEvent): string {
  const { call, attempt, reason, ms } = cleaned(untrusted)
  return `${call} again in ${durationText(ms)}, attempt ${grouped(attempt)}: ${reason}`
}

function lineOf(event: DeployEvent): string | undefined {
  switch (event.event) {
    case 'planned':
      return event.changes.length === 0 ? undefined : plural(event.changes.length, 'change')
    case 'started':
      return event.title
    case 'operation':
      return `  operation ${event.operation}`
    case 'stage':
      return `  ${stageText(event.stage)}`
    case 'traffic':
      return `  traffic is ${trafficText(event.traffic, event.names)}`
    case 'gates': {
      const over = event.leftMs <= 0 || event.gates.some(({ outcome }) => outcome === 'fail')
      if (!over || event.gates.length === 0) return undefined
      return `  ${event.gates.map(gate => `${gate.metric} ${gate.outcome}: ${readingText(gate)}`).join('; ')}`
    }
    case 'retry':
      return `  ${event.call} again, attempt ${grouped(event.attempt)}: ${event.reason}`
    case 'note':
      return `  ${event.text}`
    case 'finished':
      return `${STATE_WORDS[event.state]}${event.reason === null ? '' : `: ${event.reason}`}`
    case 'locked':
    case 'done':
      return undefined
  }
}

function outcomeText(outcome: DeploymentOutcome, result: DeployResult, style: Style): string {
  const { deployment, state, reason, hint, changes, traffic, names } = outcome
  const paint =
    state === 'applied' ? style.green : state === 'rolling' ? style.cyan : state === 'failed' ? style.red : style.yellow
  const width = Math.max(0, ...changes.map(({ title }) => title.length))
  const next = nextText(outcome, result)
  const lines = [
    ...changes.map(({ title, ms }) => `${title.padEnd(width)}  ${style.dim(durationText(ms))}`),
    ...(Object.keys(traffic).length === 0 ? [] : [`${style.dim('traffic')}  ${trafficText(traffic, names)}`]),
    ...(hint !== null
      ? [`${style.cyan('hint:')} ${hint}`]
      : next === undefined
        ? []
        : [`${style.cyan('next:')} ${next}`]),
  ]
  const head = `${paint(STATE_SYMBOLS[state])} ${style.bold(deployment)}  ${STATE_WORDS[state]}${reason === null ? '' : `: ${reason}`}`
  return [head, ...lines.map(line => indented(line))].join('\n')
}

/** What would be typed next; nothing where all is done. */
function nextText(
  { deployment, state }: DeploymentOutcome,
  { command, environment }: DeployResult,
): string | undefined {
  const deploy = `dap deploy --env ${environment} --only ${deployment}`
  const again = {
    deploy,
    rollback: `dap rollback ${deployment} --env ${environment}`,
    gc: `dap gc --env ${environment}`,
    destroy: `dap destroy ${deployment} --env ${environment}`,
  }[command]
  switch (state) {
    case 'applied':
    case 'unchanged':
      return undefined
    case 'rolling':
      return `\`${deploy} --step\` goes on`
    case 'paused':
      return `\`${deploy} --resume\` looks again, \`--skip-gates\` goes on without, \`dap rollback ${deployment} --env ${environment}\` goes back`
    case 'rolled-back':
    case 'held':
      return `revert the change in Git, or mend it; \`${deploy} --release-hold\` brings the same version back`
    case 'failed':
      return `\`${again}\` tries again`
    case 'conflict':
      return `\`dap status --env ${environment}\` says what is there now; then \`${again}\``
    case 'interrupted':
      return `\`${command === 'deploy' ? `${deploy} --resume` : again}\` goes on`
  }
}
