import type { TextContext } from '../command.ts'
import type { CandidateResult, EvaluationResult, Verdict } from '../results.ts'
import { code, gridMarkdown, prose } from './markdown.ts'
import { percent, plural, short, signed } from './numbers.ts'
import { range, rulesMarkdown, rulesText } from './simulation.ts'
import { createStyle, type Style } from './style.ts'
import { type Grid, tableOf } from './table.ts'

/** The table of an evaluation. A refused candidate shows no number: the log cannot answer for it. */
export function evaluationText(result: EvaluationResult, context: TextContext): string {
  const { style } = context
  const { dataset, candidates, gates } = result
  const many = candidates.length >= 3
  const parts = [`${style.bold(result.evaluation)} ${extent(result)}`, tableOf(candidateGrid(result, style), context)]
  const compared = differenceGrid(result)
  if (compared.rows.length > 0) parts.push(tableOf(compared, context))
  const measured = metricGrid(result)
  if (measured.rows.length > 0) parts.push(tableOf(measured, context))
  const notes = [
    ...dataset.notes,
    ...candidates.flatMap(({ name, verdict, reasons, estimates }) => [
      ...reasons.map(reason => `${name}: ${paintVerdict(verdict, style)}, ${reason}`),
      ...(verdict === 'refuse' ? [] : estimates).flatMap(estimate =>
        estimate.reasons
          .filter(reason => !reasons.includes(reason))
          .map(reason => `${name}: ${paintVerdict(estimate.verdict, style)}, ${reason}`),
      ),
    ]),
  ]
  if (notes.length > 0) parts.push(notes.join('\n'))
  if (gates.length > 0) {
    const bounds = many ? 'gates go by bounds of lifts and differences that hold for all candidates at once\n' : ''
    parts.push(`${bounds}${rulesText('gate', gates, style)}`)
  }
  return parts.join('\n\n')
}

const extent = ({ dataset: { name, rows, units, meanReward } }: EvaluationResult) =>
  `on ${name}: ${plural(rows, 'row')}${unitsText(units)}, mean reward ${short(meanReward)}`

function intervalTitle({ candidates }: EvaluationResult): string {
  const level = candidates[0]?.estimates.find(estimate => estimate.interval)?.interval?.level
  return level === undefined ? 'interval' : `${Number((100 * level).toPrecision(6))} % interval`
}

function candidateGrid(result: EvaluationResult, style: Style): Grid {
  const interval = intervalTitle(result)
  return {
    columns: [
      { title: 'candidate' },
      { title: 'verdict' },
      { title: 'estimator' },
      { title: 'value', align: 'right' },
      { title: interval, name: `${interval} of value`, drop: 1 },
      { title: 'lift', align: 'right', drop: 2 },
      { title: interval, name: `${interval} of lift`, drop: 3 },
      { title: 'sample size', align: 'right', drop: 4 },
      { title: 'largest weight', align: 'right', drop: 5 },
    ],
    rows: result.candidates.flatMap(candidate => candidateRows(candidate, style)),
  }
}

function differenceGrid(result: EvaluationResult): Grid {
  const { candidates, differences } = result
  const many = candidates.length >= 3
  return {
    columns: [
      { title: 'candidate' },
      { title: 'against' },
      { title: 'estimator' },
      { title: 'difference', align: 'right' },
      { title: intervalTitle(result), drop: 1 },
      ...(many ? [{ title: 'of all pairs at once', drop: 2 }] : []),
    ],
    rows: differenceRows(differences, candidates, many),
  }
}

/** What lists are worth beside their rewards. */
function metricGrid(result: EvaluationResult): Grid {
  const shown = result.candidates.filter(({ verdict }) => verdict !== 'refuse')
  return {
    columns: [
      { title: 'candidate' },
      { title: 'metric' },
      { title: 'value', align: 'right' },
      { title: intervalTitle(result), drop: 1 },
    ],
    rows: shown.flatMap(({ name, metrics = [] }) =>
      metrics.map(({ metric, value, interval }, i) => [
        i === 0 ? name : '',
        metric,
        value === null ? '' : short(value),
        interval === null ? '' : range(interval),
      ]),
    ),
  }
}

/** The same for a comment. */
export function evaluationMarkdown(result: EvaluationResult): string {
  const compared = differenceGrid(result)
  const reasons = result.candidates.flatMap(({ name, verdict, reasons }) =>
    reasons.map(reason => `- ${code(name)}: ${verdict}, ${prose(reason)}`),
  )
  return [
    `**${code(result.evaluation)}** ${prose(extent(result))}`,
    gridMarkdown(candidateGrid(result, createStyle(false))),
    ...(compared.rows.length === 0 ? [] : [gridMarkdown(compared)]),
    ...(reasons.length === 0 ? [] : [reasons.join('\n')]),
    ...rulesMarkdown(result.gates),
  ].join('\n\n')
}

function candidateRows({ name, verdict, support, estimates }: CandidateResult, style: Style): string[][] {
  const size = support === null ? '' : short(support.effectiveSampleSize)
  const weight = support === null ? '' : short(support.maxWeight)
  if (verdict === 'refuse') return [[name, paintVerdict(verdict, style), '', '', '', '', '', size, weight]]
  return estimates.map(({ estimator, verdict, value, interval, lift, support: own }, i) => {
    const refused = verdict === 'refuse'
    return [
      i === 0 ? name : '',
      paintVerdict(verdict, style),
      estimator,
      refused ? '' : value === null ? 'none' : short(value),
      refused || interval === null ? '' : range(interval),
      refused || lift === null ? '' : signed(lift.value),
      refused || lift === null ? '' : range(lift, signed),
      own ? short(own.effectiveSampleSize) : i === 0 ? size : '',
      own ? short(own.maxWeight) : i === 0 ? weight : '',
    ]
  })
}

function unitsText({ known, count, effective, largestShare }: EvaluationResult['dataset']['units']): string {
  if (!known) return ''
  const worth = effective < 0.9 * count ? `, worth ${short(effective)} of equal activity` : ''
  const largest =
    largestShare > 0.05 && largestShare * effective > 1.5
      ? `, the largest with ${percent(largestShare)} of the rows`
      : ''
  return ` of ${plural(count, 'unit')}${worth}${largest}`
}

/** The estimators by which candidates are compared in text, the first that there is; the result has all. */
const PREFERRED = ['dr', 'sndr', 'snips', 'ips', 'snrips', 'rips']

/** A line for each pair of candidates that are not refused; lifts are in their own table. */
function differenceRows(
  differences: EvaluationResult['differences'],
  candidates: readonly CandidateResult[],
  many: boolean,
): string[][] {
  const shown = candidates.filter(({ verdict, estimates }) => verdict !== 'refuse' && !isLog(estimates))
  return differences.flatMap(({ candidate, baseline, estimates }) => {
    if (![candidate, baseline].every(name => shown.some(each => each.name === name))) return []
    const found = PREFERRED.flatMap(name => estimates.filter(each => each.estimator === name))[0] ?? estimates[0]
    const { estimator, value, interval, simultaneous } = found
    return [
      [
        candidate,
        baseline,
        estimator,
        value === null ? 'none' : signed(value),
        interval === null ? '' : range(interval, signed),
        ...(many ? [simultaneous === null ? '' : range(simultaneous, signed)] : []),
      ],
    ]
  })
}

/** The policy that made the log: its lift is nothing, for certain. */
const isLog = (estimates: CandidateResult['estimates']) =>
  estimates.every(({ lift }) => lift !== null && lift.lower === 0 && lift.upper === 0)

function paintVerdict(verdict: Verdict, style: Style): string {
  return { ok: style.green, caution: style.yellow, refuse: style.red }[verdict](verdict)
}
