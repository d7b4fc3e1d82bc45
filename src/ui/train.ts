import type { TextContext } from '../command.ts'
import type { CandidateResult, EvaluationResult, TrainingResult } from '../results.ts'
import { evaluationText } from './evaluation.ts'
import { foremost } from './foremost.ts'
import { grouped, percent, plural, short, signed } from './numbers.ts'
import { table } from './table.ts'

/** What was learnt, where it is, and what it is worth on the units that it was not learnt from. */
export function trainingText(result: TrainingResult, context: TextContext): string {
  const { policy, snapshot, dataset, weights, learnt, estimates } = result
  const { style } = context
  const span = dataset.from === undefined ? '' : `, ${dataset.from} to ${dataset.to}`
  const weighted = weights !== 'none' || learnt.some(({ rows, effectiveRows }) => rows !== effectiveRows)
  const { shown, more } = foremost(learnt, ({ rows }) => rows, 'action')
  const parts = [
    `${style.bold(policy)} learnt ${plural(dataset.rows, 'row')} of ${dataset.name}${span}\n${snapshot.path}  ${style.dim(snapshot.digest)}`,
    [
      table(
        [
          { title: 'action' },
          { title: 'rows', align: 'right' },
          ...(weighted ? [{ title: 'worth', align: 'right' } as const] : []),
        ],
        shown.map(({ action, rows, effectiveRows }) => [
          action,
          short(rows),
          ...(weighted ? [short(effectiveRows)] : []),
        ]),
        context,
      ),
      ...more,
    ].join('\n'),
  ]
  if (result.fit !== undefined) parts.push(fitText(result.fit, result.hashing, context))
  if (dataset.notes.length > 0) parts.push(dataset.notes.join('\n'))
  if (estimates === null) parts.push('no unit was held out: nothing says what it is worth')
  else
    parts.push('on the units that it was not learnt from:', evaluationText(estimates, context), conclusion(estimates))
  return parts.join('\n\n')
}

/** So many weights are enough to see what a model goes by. */
const MOST_WEIGHTS = 10

/** How near the optimum a fit came, how crowded its slots are, and what weighs most. */
function fitText(
  { passes, converged, distance }: NonNullable<TrainingResult['fit']>,
  hashing: TrainingResult['hashing'],
  context: TextContext,
): string {
  const far = converged ? '' : `, and still ${short(distance)} standard deviations from the optimum`
  const fitted = `fitted in ${passes} passes${far}`
  if (hashing === undefined) return fitted
  const { slots, occupied, names, shared, strongest } = hashing
  const columns = [
    { title: 'feature' },
    { title: 'weight', align: 'right' },
    { title: 'width', align: 'right', drop: 1 },
  ] as const
  const rows = strongest
    .slice(0, MOST_WEIGHTS)
    .map(({ name, weight, width }) => [name, signed(weight), `±${short(width)}`])
  const more = strongest.length - rows.length
  return [
    `${fitted}; ${grouped(occupied)} of ${grouped(slots)} slots are taken by about ${grouped(names)} names, of which ${percent(shared)} share one`,
    ...(rows.length > 0 ? [table(columns, rows, context)] : []),
    ...(more > 0 ? [`and ${plural(more, 'weaker one')}; --json has the strongest 100`] : []),
  ].join('\n')
}

/** Is the new snapshot worth more than what the log earned, by the last of the estimates, the best there is, and than the old one, on the same rows? */
function conclusion({ candidates, differences }: EvaluationResult): string {
  const [fresh, old] = ['new', 'old'].map(name => candidates.find(candidate => candidate.name === name))
  const value = worth(fresh)
  if (fresh === undefined || value === undefined) return 'the log cannot say what the new snapshot is worth'
  const lift = value.lift
  const against =
    lift !== null && lift.lower > 0
      ? 'the new snapshot earns more than the log did'
      : lift !== null && lift.upper < 0
        ? 'the new snapshot earns less than the log did'
        : 'no difference between the new snapshot and the log can be shown'
  const before = worth(old)
  if (before?.value == null || value.value === null) return against
  const pair = differences.find(({ candidate, baseline }) => candidate === 'old' && baseline === 'new')
  const interval = pair?.estimates.at(-1)?.interval
  const difference =
    interval != null && interval.upper < 0
      ? 'and more than the old one'
      : interval != null && interval.lower > 0
        ? 'and less than the old one'
        : 'and no difference to the old one can be shown'
  return `${against}, ${difference}: ${short(value.value)} and ${short(before.value)}`
}

function worth(candidate: CandidateResult | undefined) {
  if (candidate === undefined || candidate.verdict === 'refuse') return undefined
  return candidate.estimates.at(-1)
}
