import type { TextContext } from '../command.ts'
import { printable } from '../diagnostics.ts'
import { shortDigest } from '../digest.ts'
import type { ActionStats, LogAlarm, PolicyStats } from '../log/stats/policy-stats.ts'
import type { SlotStats } from '../log/stats/slot-stats.ts'
import type { LogStatsResult } from '../log/stats/stats.ts'
import { foremost } from './foremost.ts'
import { NO_DECISION } from './log-check.ts'
import { grouped, percent, plural, short, signed } from './numbers.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** Who decided how often, what came back, and whether the draws were as likely as logged. */
export function logStatsText(result: LogStatsResult, context: TextContext): string {
  const { style } = context
  const { volume, policies, alarms, skipped } = result
  const unserved = volume.reduce((sum, { servedBy, decisions }) => sum + (servedBy === 'none' ? decisions : 0), 0)
  const parts = [
    `${plural(result.files, 'file')}: ${plural(result.decisions, 'decision')}, ${plural(result.rewards, 'reward')}`,
    ...(volume.length === 0
      ? []
      : [
          table(
            [
              { title: 'policy' },
              { title: 'digest' },
              { title: 'snapshot', drop: 2 },
              { title: 'served by' },
              { title: 'mode', drop: 1 },
              { title: 'decisions', align: 'right' },
            ],
            volume.map(({ policy, digest, snapshot, servedBy, mode, decisions }) => [
              printable(policy),
              brief(digest),
              snapshot === null ? 'none' : brief(snapshot),
              servedBy,
              mode,
              grouped(decisions),
            ]),
            context,
          ),
        ]),
    ...(unserved === 0
      ? []
      : [
          `${plural(unserved, 'decision')} for which nothing could be served: no reward can come, and no rate counts them`,
        ]),
    ...policies.map(policy => policyText(policy, context)),
  ]
  if (skipped > 0) parts.push(style.yellow(`${plural(skipped, 'line')} left out: \`dap log check\` says why`))
  parts.push(
    result.decisions === 0 ? style.red(`${NO_DECISION}: nothing was tested`) : alarmsText(alarms, policies, style),
  )
  return parts.join('\n\n')
}

const failuresText = ({ decisions, share, reasons }: NonNullable<PolicyStats['failures']>): string =>
  `its Model gave nothing for ${plural(decisions, 'decision')} (${percent(share)}), which are the fallback: ${Object.entries(
    reasons,
  )
    .map(([reason, n]) => `${grouped(n)} ${reason}`)
    .join(', ')}`

function policyText(stats: PolicyStats, context: TextContext): string {
  const { style } = context
  const { joinRate, rewards, agreement, failures, shedShare, latencyUs, actions, inversePropensity, uniformity } = stats
  const joins = actions.some(action => typeof action.joins?.p === 'number')
  const facts = [
    unitsText(stats.units, stats.decisions),
    ...(joinRate === null ? [] : [`rewards came for ${percent(joinRate)} of the decisions`]),
    ...rewards.map(
      ({ name, count, mean }) =>
        `${name === null ? 'mean reward' : `mean of ${printable(name)}`} ${short(mean)} (${grouped(count)})`,
    ),
    ...(agreement === null
      ? []
      : [`agrees with the caller in ${percent(agreement.share)} of ${plural(agreement.decisions, 'decision')}`]),
    ...(failures === undefined ? [] : [failuresText(failures)]),
    ...(shedShare > 0 ? [`about ${percent(shedShare)} of the records were not kept`] : []),
    `latency p50 ${short(latencyUs.p50 / 1000)} ms, p99 ${short(latencyUs.p99 / 1000)} ms`,
  ]
  const tests = [
    ...(inversePropensity === null
      ? []
      : [
          [
            'mean 1/propensity',
            `${short(inversePropensity.mean)} for ${short(inversePropensity.expected)}`,
            ...scoreOf(inversePropensity),
          ],
        ]),
    ['uniformity of u', `distance ${short(uniformity.distance)}`, '', short(uniformity.p)],
  ]
  const { shown, more } = foremost(actions, ({ chosen }) => chosen, 'action')
  const { slots = [] } = stats
  return [
    `${style.bold(printable(stats.policy))} ${brief(stats.digest)}: ${facts.join(', ')}`,
    ...(actions.length === 0
      ? []
      : [
          [
            table(
              [
                { title: 'action' },
                { title: 'chosen', align: 'right' },
                { title: 'expected', align: 'right' },
                { title: 'z', align: 'right' },
                { title: 'p', align: 'right' },
                { title: 'rewards came for', align: 'right', drop: 1 },
                ...(joins
                  ? ([
                      { title: 'z', align: 'right', name: 'z of rewards', drop: 3 },
                      { title: 'p', align: 'right', name: 'p of rewards', drop: 2 },
                    ] as const)
                  : []),
              ],
              shown.map(({ action, chosen, expected, joinRate: rate, joins: score, ...own }) => [
                printable(action),
                grouped(chosen),
                short(expected),
                ...scoreOf(own),
                rate === null ? '' : percent(rate),
                ...(joins ? scoreOf(score) : []),
              ]),
              context,
            ),
            ...more,
          ].join('\n'),
        ]),
    table(
      [{ title: 'test' }, { title: 'found' }, { title: 'z', align: 'right' }, { title: 'p', align: 'right' }],
      tests,
      context,
    ),
    ...(slots.length === 0 ? [] : [slotsText(slots, context)]),
  ].join('\n\n')
}

/** A slot a line: its actions by the one whose draws are the least likely. */
function slotsText(slots: readonly SlotStats[], context: TextContext): string {
  const seen = slots.some(({ examined }) => examined !== null)
  const leastLikely = ({ actions }: SlotStats) =>
    actions.reduce<SlotStats['actions'][number] | undefined>(
      (least, each) => (each.p !== null && (least === undefined || each.p < (least.p ?? 1)) ? each : least),
      undefined,
    )
  return table(
    [
      { title: 'slot', align: 'right' },
      { title: 'lists', align: 'right' },
      { title: 'least likely action', drop: 3 },
      { title: 'p', align: 'right', name: 'p of the action' },
      { title: 'mean 1/propensity', drop: 2 },
      { title: 'p', align: 'right', name: 'p of 1/propensity' },
      { title: 'p of u', align: 'right' },
      ...(seen ? ([{ title: 'seen', align: 'right' }] as const) : []),
      { title: 'rewards came for', align: 'right', drop: 1 },
    ],
    slots.map(each => {
      const { slot, lists, inversePropensity: inverse, uniformity, examined, rewarded } = each
      const least = leastLikely(each)
      return [
        String(slot),
        grouped(lists),
        least === undefined ? '' : printable(least.action),
        least?.p == null ? '' : short(least.p),
        inverse === null ? '' : `${short(inverse.mean)} for ${short(inverse.expected)}`,
        inverse?.p == null ? '' : short(inverse.p),
        short(uniformity.p),
        ...(seen ? [examined === null ? '' : percent(examined)] : []),
        rewarded === null ? '' : percent(rewarded),
      ]
    }),
    context,
  )
}

function unitsText({ count, effective, largestShare }: PolicyStats['units'], decisions: number): string {
  if (count === decisions) return plural(count, 'unit')
  return `${plural(count, 'unit')} (as good as ${short(effective)} of equal size; the largest has ${percent(largestShare)} of the decisions)`
}

const scoreOf = (score: ActionStats['joins']): string[] =>
  score === null || score.z === null || score.p === null ? ['', ''] : [signed(score.z), short(score.p)]

function alarmsText(alarms: readonly LogAlarm[], policies: readonly PolicyStats[], style: Style): string {
  const tests = policies
    .flatMap(({ actions, inversePropensity, uniformity, slots = [] }) => [
      ...actions.flatMap(action => [action, action.joins]),
      inversePropensity,
      uniformity,
      ...slots.flatMap(slot => [...slot.actions, slot.inversePropensity, slot.uniformity]),
    ])
    .filter(test => typeof test?.p === 'number').length
  const note = style.dim(
    `${plural(tests, 'test')}: each raises a false alarm, a p below 0.0005, in one right log of 2,000`,
  )
  if (alarms.length === 0) return `${note}\n${style.green('no alarm')}`
  const lines = alarms.map(({ check, policy, digest, action, slot, p }) => {
    const where = slot === undefined ? '' : ` in slot ${slot}`
    const what = (action === undefined ? check : `${check} of \`${printable(action)}\``) + where
    return `${style.red('alarm')} ${printable(policy)} ${brief(digest)}: ${what}, p = ${short(p)}\n  ${style.cyan('hint:')} ${HINTS[check]}`
  })
  return [note, ...lines, style.red(plural(alarms.length, 'alarm'))].join('\n')
}

/** Enough of a digest to tell one from another. */
const brief = (digest: string): string => printable(shortDigest(digest))

const HINTS: Readonly<Record<LogAlarm['check'], string>> = {
  propensity:
    'it was not drawn as often as its propensities say, or its records were lost; `dap log check` finds which draws do not recompute',
  'inverse-propensity':
    'the logged vector is not the one that was drawn from: another snapshot, before eligibility, or not drawn at all',
  uniformity: 'decisions were dropped by what they chose, or ids were chosen by what they draw',
  joins: 'rewards of some actions go missing, and no estimate can tell that from a bad action',
}
