import type { TextContext } from '../command.ts'
import { shortDigest } from '../digest.ts'
import type { ReplayResult } from '../log/records/replay.ts'
import type { DecideResult, ExplainedAction, Explanation } from '../policy/explanation.ts'
import { foremost } from './foremost.ts'
import { grouped, plural, short } from './numbers.ts'
import { table } from './table.ts'

/** One decision: the action first, then why. */
export function decideText(result: DecideResult, context: TextContext): string {
  const { style } = context
  const { action, propensity, servedBy, reason, policy, decisionId, explanation } = result
  const who = servedBy === 'policy' ? '' : `  by ${servedBy}: ${reason}`
  const learnt = policy.snapshot === null ? 'no snapshot' : `snapshot ${shortDigest(policy.snapshot)}`
  const parts = [
    action === null || propensity === null
      ? `${style.bold('nothing')}: ${reason}; the rules let no fallback be served`
      : `${style.bold(action)}  with propensity ${short(propensity)}${who}`,
    style.dim(`policy ${policy.name} ${shortDigest(policy.digest)}, ${learnt}, decision ${decisionId}`),
  ]
  if (explanation === undefined) return parts.join('\n')
  return `${parts.join('\n')}\n\n${explanationText(result, explanation, context)}`
}

function explanationText(
  { action, floor, eligible }: DecideResult,
  explanation: Explanation,
  context: TextContext,
): string {
  const { actions, features, holdout, draw, learnt, link } = explanation
  const estimated = actions.some(each => each.value !== undefined)
  const columns = [
    { title: 'action' },
    ...(estimated
      ? ([
          { title: 'value', align: 'right', drop: 1 },
          { title: 'width', align: 'right', drop: 3 },
          { title: 'probability', align: 'right', drop: 2 },
        ] as const)
      : []),
    { title: 'propensity', align: 'right' } as const,
    { title: 'drawn by u in', prose: true } as const,
  ]
  const likeliest = (each: ExplainedAction) => (each.id === action ? 2 : (each.propensity ?? 0))
  const { shown, more } = foremost(actions, likeliest, 'action')
  const rows = shown.map(each => [each.id, ...(estimated ? estimates(each) : []), ...drawn(each, action, draw.u)])
  const lines = [
    ...(estimated
      ? [
          `${plural(learnt, 'reward')} learnt; values are expected rewards, widths ${link === undefined ? 'in units of their noise' : 'their standard errors'}`,
        ]
      : []),
    ...(floor > 0
      ? [
          `floor ${short(floor)}: propensity = ${short(floor)} + ${short(Math.max(0, 1 - eligible.length * floor))} × probability`,
        ]
      : []),
    ...(holdout === undefined
      ? []
      : [`holdout: ${short(holdout.u)} ${holdout.u < holdout.fraction ? 'is' : 'is not'} below ${holdout.fraction}`]),
    ...(draw.probabilitiesKey === undefined
      ? []
      : [`probabilities: shares of draws that SHA-256("${draw.probabilitiesKey}") seeds`]),
    `draw: u = ${draw.u}, the first 53 bits of SHA-256("${draw.key}")`,
    ...(features.length > 0
      ? [`features: ${features.map(({ name, value }) => `${name} ${short(value)}`).join(', ')}`]
      : []),
  ]
  const sums = shown.flatMap(each =>
    each.features === undefined
      ? []
      : [sumText(link === undefined ? each.id : `log-odds of ${each.id}`, each.features)],
  )
  const parts = [
    [table(columns, rows, context), ...more].join('\n'),
    ...(sums.length > 0 ? [sums.join('\n')] : []),
    lines.join('\n'),
  ]
  return parts.join('\n\n')
}

/** So many parts of a value are enough to see what it is made of. */
const MOST_PARTS = 8

/** `bundle = 0.12 intercept + 0.08 platform=ios × action.id=bundle − 0.01 action.price …` */
function sumText(what: string, features: NonNullable<ExplainedAction['features']>): string {
  const parts = features.slice(0, MOST_PARTS).map(({ name, value, contribution = value }, i) => {
    const sign = contribution < 0 ? '− ' : i === 0 ? '' : '+ '
    return `${sign}${short(Math.abs(contribution))} ${name}`
  })
  const more = features.length - parts.length
  return `${what} = ${[...parts, ...(more > 0 ? [`+ ${plural(more, 'smaller part')}`] : [])].join(' ')}`
}

function estimates({ excludedBy, value, width, probability }: ExplainedAction): string[] {
  if (excludedBy !== undefined || probability === undefined) return ['', '', '']
  return [
    value === null ? 'unknown' : short(value ?? 0),
    width === null ? 'unknown' : short(width ?? 0),
    short(probability),
  ]
}

function drawn(
  { id, excludedBy, propensity, from = 0, to = 0 }: ExplainedAction,
  chosen: string | null,
  u: number,
): string[] {
  if (excludedBy !== undefined) return ['', `excluded by ${excludedBy}`]
  if (propensity === undefined) return ['', '']
  return [short(propensity), `[${short(from)}, ${short(to)})${id === chosen ? `  ← ${short(u)}` : ''}`]
}

/** How many of the logged decisions come out the same. */
export function replayText({ replayed, same, unavailable, examples }: ReplayResult, { style }: TextContext): string {
  const verdict = same === replayed ? style.green('the same') : style.red(`${grouped(replayed - same)} differ`)
  const parts = [`${plural(replayed, 'decision')} recomputed, bit for bit: ${verdict}`]
  for (const { file, row, decisionId, differences } of examples) {
    const lines = differences.map(
      ({ at, logged, recomputed }) =>
        `  ${at}: logged ${JSON.stringify(logged)}, recomputed ${JSON.stringify(recomputed)}`,
    )
    parts.push(`${file}:${row} ${decisionId}\n${lines.join('\n')}`)
  }
  for (const { reason, count } of unavailable) {
    parts.push(`${style.yellow('cannot recompute')} ${plural(count, 'decision')}: ${reason}`)
  }
  return parts.join('\n\n')
}
