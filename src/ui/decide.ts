import type { TextContext } from '../command.ts'
import { shortDigest } from '../digest.ts'
import type { ReplayResult } from '../log/records/replay.ts'
import type { ExplainedSlot } from '../policy/explained-slots.ts'
import type { DecideResult, ExplainedAction, Explanation } from '../policy/explanation.ts'
import { foremost } from './foremost.ts'
import { grouped, plural, short } from './numbers.ts'
import { table } from './table.ts'

/** One decision: the action first, or all of a list, then why. */
export function decideText(result: DecideResult, context: TextContext): string {
  const { style } = context
  const { servedBy, reason, policy, decisionId, explanation, slots } = result
  const who = servedBy === 'policy' ? '' : `  by ${servedBy}: ${reason}`
  const learnt = policy.snapshot === null ? 'no snapshot' : `snapshot ${shortDigest(policy.snapshot)}`
  const parts = [
    ...(servedBy === 'none'
      ? [`${style.bold('nothing')}: ${reason}; the rules let no fallback be served`]
      : (slots ?? [result]).map(({ action, propensity }, k) => {
          const place = slots === undefined ? '' : `${k}  `
          const likely = propensity === null ? '' : `  with propensity ${short(propensity)}`
          return `${place}${style.bold(action ?? 'nothing')}${likely}${who}`
        })),
    style.dim(`policy ${policy.name} ${shortDigest(policy.digest)}, ${learnt}, decision ${decisionId}`),
  ]
  if (explanation === undefined) return parts.join('\n')
  return `${parts.join('\n')}\n\n${explanationText(result, explanation, context)}`
}

function explanationText(
  { action, floor, eligible, excluded }: DecideResult,
  explanation: Explanation,
  context: TextContext,
): string {
  const { actions, features, holdout, draw, learnt, link, slots } = explanation
  const estimated = [actions, ...(slots ?? []).map(({ candidates }) => candidates)].some(isEstimated)
  const { lines, shown } = actionsText(actions, action, draw.u, context)
  const facts = [
    ...(estimated
      ? [
          `${plural(learnt, 'reward')} learnt; values are expected rewards, widths ${link === undefined ? 'in units of their noise' : 'their standard errors'}`,
        ]
      : []),
    ...(floor > 0 && slots === undefined
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
    ...(slots === undefined
      ? [drawLine(draw)]
      : excluded.length > 0
        ? [`excluded: ${few(excluded.map(({ id, by }) => `${id} by ${by}`))}`]
        : []),
    ...(features.length > 0
      ? [`features: ${features.map(({ name, value }) => `${name} ${short(value)}`).join(', ')}`]
      : []),
  ]
  const bySlot = slots?.some(({ candidates }) => candidates.some(each => each.features !== undefined)) === true
  const parts = [
    ...(slots === undefined ? [lines] : slots.map(slot => slotLines(slot, link, context))),
    bySlot ? [] : sumLines(shown, link),
    facts,
  ]
  return parts.flatMap(part => (part.length === 0 ? [] : [part.join('\n')])).join('\n\n')
}

/** Why an action stands where it does: what else could, and what could not. */
function slotLines(
  { slot, id, action, above, deliberate, candidates, keptOut, draw }: ExplainedSlot,
  link: Explanation['link'],
  context: TextContext,
): string[] {
  const { lines, shown } = actionsText(candidates, action, draw.u, context)
  const name = id === undefined ? '' : ` \`${id}\``
  const below = above.length === 0 ? '' : `, below ${above.join(', ')}`
  const n = candidates.length
  const reasons = new Map<string, string[]>()
  for (const { id: out, by, rule } of keptOut) {
    const why = KEPT_OUT[by] + (rule === undefined ? '' : ` \`${rule}\``)
    reasons.set(why, [...(reasons.get(why) ?? []), out])
  }
  return [
    `${context.style.bold(`slot ${slot}${name}`)}${below}`,
    ...(n === 0 ? ['nothing may stand there'] : lines),
    ...sumLines(shown, link),
    ...(deliberate === undefined || n === 0
      ? []
      : [`propensity = ${short((1 - deliberate) / n)} + ${short(deliberate)} × probability`]),
    ...[...reasons].map(([why, out]) => `kept out by ${why}: ${few(out)}`),
    ...(n === 0 ? [] : [drawLine(draw)]),
  ]
}

const KEPT_OUT = {
  slot: "the slot's own actions",
  pin: 'a pin: others must stand there',
  quota: 'a quota that is used up:',
} as const

const MOST_NAMED = 12

const few = (names: readonly string[]): string =>
  names.length <= MOST_NAMED
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMED).join(', ')} and ${grouped(names.length - MOST_NAMED)} more`

const drawLine = ({ u, key }: Explanation['draw']): string => `draw: u = ${u}, the first 53 bits of SHA-256("${key}")`

const isEstimated = (actions: readonly ExplainedAction[]): boolean => actions.some(each => each.value !== undefined)

/** The actions that could be taken, of many the likeliest, and which of them was. */
function actionsText(
  actions: readonly ExplainedAction[],
  action: string | null,
  u: number,
  context: TextContext,
): { readonly lines: readonly string[]; readonly shown: readonly ExplainedAction[] } {
  const estimated = isEstimated(actions)
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
  const rows = shown.map(each => [each.id, ...(estimated ? estimates(each) : []), ...drawn(each, action, u)])
  return { lines: [table(columns, rows, context), ...more], shown }
}

/** What the values of actions are made of, where a model that they share tells. */
const sumLines = (actions: readonly ExplainedAction[], link: Explanation['link']): string[] =>
  actions.flatMap(each =>
    each.features === undefined
      ? []
      : [sumText(link === undefined ? each.id : `log-odds of ${each.id}`, each.features)],
  )

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
  if (excludedBy !== undefined || value === undefined || width === undefined) return ['', '', '']
  return [
    value === null ? 'unknown' : short(value),
    width === null ? 'unknown' : short(width),
    probability === undefined ? '' : short(probability),
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
export function replayText(result: ReplayResult, { style }: TextContext): string {
  const { replayed, same, unavailable, scores, examples } = result
  const verdict = same === replayed ? style.green('the same') : style.red(`${grouped(replayed - same)} differ`)
  const parts = [`${plural(replayed, 'decision')} recomputed, bit for bit: ${verdict}`]
  for (const { file, row, decisionId, differences } of examples) {
    const lines = differences.map(
      ({ at, logged, recomputed }) =>
        `  ${at}: logged ${JSON.stringify(logged)}, recomputed ${JSON.stringify(recomputed)}`,
    )
    parts.push(`${file}:${row} ${decisionId}\n${lines.join('\n')}`)
  }
  if (scores !== undefined) parts.push(...scoresText(scores, style))
  for (const { reason, count } of unavailable) {
    parts.push(`${style.yellow('cannot recompute')} ${plural(count, 'decision')}: ${reason}`)
  }
  return parts.join('\n\n')
}

/** What Models give now: digits differ between processors, so that near is as good as the same. */
function scoresText(
  { decisions, within, largestDifference, unavailable }: NonNullable<ReplayResult['scores']>,
  style: TextContext['style'],
): readonly string[] {
  const verdict =
    within === decisions
      ? style.green('within tolerance')
      : style.red(`${grouped(decisions - within)} are not within tolerance`)
  const most = largestDifference === null ? '' : `, the largest difference ${short(largestDifference)}`
  return [
    ...(decisions === 0 ? [] : [`scores of ${plural(decisions, 'decision')} made again: ${verdict}${most}`]),
    ...unavailable.map(
      ({ reason, count }) => `${style.yellow('scores not made again')} of ${plural(count, 'decision')}: ${reason}`,
    ),
  ]
}
