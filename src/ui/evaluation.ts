import type { TextContext } from '../command.ts'
import type { CandidateResult, EvaluationResult, Verdict } from '../results.ts'
import { percent, plural, short, signed } from './numbers.ts'
import { range, rulesText } from './simulation.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** The table of an evaluation. A refused candidate shows no number: the log cannot answer for it. */
export function evaluationText(result: EvaluationResult, { style }: TextContext): string {
  const { dataset, candidates, gates } = result
  const level = candidates[0]?.estimates.find(estimate => estimate.interval)?.interval?.level
  const interval = level === undefined ? 'interval' : `${percent(level)} interval`
  const rows = candidates.flatMap(candidate => candidateRows(candidate, style))
  const parts = [
    `${style.bold(result.evaluation)} on ${dataset.name}: ${plural(dataset.rows, 'row')}, mean reward ${short(dataset.meanReward)}`,
    table(
      [
        { title: 'candidate' },
        { title: 'verdict' },
        { title: 'estimator' },
        { title: 'value', align: 'right' },
        { title: interval },
        { title: 'lift', align: 'right' },
        { title: interval },
        { title: 'sample size', align: 'right' },
        { title: 'largest weight', align: 'right' },
      ],
      rows,
      style.dim,
    ),
  ]
  const notes = [
    ...dataset.notes,
    ...candidates.flatMap(({ name, verdict, reasons }) =>
      reasons.map(reason => `${name}: ${paintVerdict(verdict, style)}, ${reason}`),
    ),
  ]
  if (notes.length > 0) parts.push(notes.join('\n'))
  if (gates.length > 0) parts.push(rulesText('gate', gates, style))
  return parts.join('\n\n')
}

function candidateRows({ name, verdict, support, estimates }: CandidateResult, style: Style): string[][] {
  const size = support === null ? '' : short(support.effectiveSampleSize)
  const weight = support === null ? '' : short(support.maxWeight)
  if (verdict === 'refuse') return [[name, paintVerdict(verdict, style), '', '', '', '', '', size, weight]]
  return estimates.map(({ estimator, value, interval, lift }, i) => [
    i === 0 ? name : '',
    i === 0 ? paintVerdict(verdict, style) : '',
    estimator,
    value === null ? 'none' : short(value),
    interval === null ? '' : range(interval),
    lift === null ? '' : signed(lift.value),
    lift === null ? '' : range(lift, signed),
    i === 0 ? size : '',
    i === 0 ? weight : '',
  ])
}

function paintVerdict(verdict: Verdict, style: Style): string {
  return { ok: style.green, caution: style.yellow, refuse: style.red }[verdict](verdict)
}
