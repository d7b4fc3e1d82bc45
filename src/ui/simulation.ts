import type { TextContext } from '../command.ts'
import type { Measured, RuleResult, SimulationResult } from '../results.ts'
import { code, gridMarkdown, prose } from './markdown.ts'
import { grouped, percent, plural, short, signed } from './numbers.ts'
import type { Style } from './style.ts'
import { type Grid, tableOf } from './table.ts'

/** The table of a simulation, differences to the first policy, and what the expectations say. */
export function simulationText(result: SimulationResult, context: TextContext): string {
  const { style } = context
  const { policies, differences, expectations } = result
  const title = `${style.bold(result.scenario)}: ${extent(result)}`
  const unserved = policies.flatMap(({ name, unservedShare }) =>
    unservedShare === undefined
      ? []
      : [
          `${name} serves nothing in ${percent(unservedShare)} of its decisions, which earn 0: its rules exclude every action`,
        ],
  )
  const parts = [
    title,
    tableOf(policyGrid(result), context),
    ...(hasLists(result) ? [tableOf(slotGrid(result), context)] : []),
    ...(unserved.length > 0 ? [style.yellow(unserved.join('\n'))] : []),
  ]
  if (differences.length > 0) {
    parts.push(tableOf(differenceGrid(result), context))
    const unclear = differences.filter(({ reward }) => reward.lower <= 0 && reward.upper >= 0)
    if (unclear.length > 0) parts.push(notSeparable(result, unclear[0].policy, unclear[0].reward, style))
  }
  if (expectations.length > 0) parts.push(rulesText('expectation', expectations, style))
  return parts.join('\n\n')
}

const extent = ({ replications, horizon, seed }: SimulationResult) =>
  `${plural(replications, 'replication')} of ${plural(horizon, 'decision')}, seed ${seed}`

const intervalTitle = ({ level }: SimulationResult) => `${percent(level)} interval`

/** Does anybody decide more than one slot? */
const hasLists = ({ policies }: SimulationResult) => policies.some(({ slots = [] }) => slots.length > 1)

function policyGrid(result: SimulationResult): Grid {
  const interval = intervalTitle(result)
  const best = hasLists(result) ? 'best list' : 'best action'
  return {
    columns: [
      { title: 'policy' },
      { title: 'mean reward', align: 'right' },
      { title: interval, name: `${interval} of mean reward`, drop: 1 },
      { title: 'regret', align: 'right', drop: 2 },
      { title: interval, name: `${interval} of regret`, drop: 4 },
      { title: best, align: 'right', drop: 3 },
      { title: interval, name: `${interval} of ${best}`, drop: 5 },
    ],
    rows: result.policies.map(({ name, reward, regret, bestActionShare }) => [
      name,
      short(reward.mean),
      range(reward),
      short(regret.mean),
      range(regret),
      percent(bestActionShare.mean),
      range(bestActionShare, percent),
    ]),
  }
}

/** So many slots are shown, from the first on; the result has all. */
const SHOWN_SLOTS = 10

/** What each slot brings; the last ones go first where there is no room. */
function slotGrid({ policies }: SimulationResult): Grid {
  const most = Math.min(SHOWN_SLOTS, Math.max(...policies.map(({ slots = [] }) => slots.length)))
  const slots = Array.from({ length: most }, (_, slot) => slot)
  return {
    columns: [
      { title: 'mean reward of' },
      ...slots.map(slot => ({
        title: `slot ${slot}`,
        align: 'right' as const,
        drop: slot === 0 ? undefined : slot,
      })),
    ],
    rows: policies.map(({ name, slots: own = [] }) => [
      name,
      ...slots.map(slot => (slot < own.length ? short(own[slot].reward.mean) : '')),
    ]),
  }
}

function differenceGrid(result: SimulationResult): Grid {
  const interval = intervalTitle(result)
  return {
    columns: [
      { title: `difference to ${result.differences[0].baseline}` },
      { title: 'mean reward', align: 'right' },
      { title: interval, name: `${interval} of mean reward`, drop: 1 },
      { title: 'regret', align: 'right', drop: 2 },
      { title: interval, name: `${interval} of regret`, drop: 3 },
    ],
    rows: result.differences.map(({ policy, reward, regret }) => [
      policy,
      signed(reward.mean),
      range(reward, signed),
      signed(regret.mean),
      range(regret, signed),
    ]),
  }
}

/** The same for a comment. */
export function simulationMarkdown(result: SimulationResult): string {
  return [
    `**${code(result.scenario)}**: ${prose(extent(result))}`,
    gridMarkdown(policyGrid(result)),
    ...(hasLists(result) ? [gridMarkdown(slotGrid(result))] : []),
    ...(result.differences.length === 0 ? [] : [gridMarkdown(differenceGrid(result))]),
    ...rulesMarkdown(result.expectations),
  ].join('\n\n')
}

/** How many replications would tell two policies apart, if the difference seen is the true one. */
function notSeparable(result: SimulationResult, policy: string, reward: Measured, style: Style): string {
  const half = (reward.upper - reward.lower) / 2
  const needed = Math.ceil(result.replications * (half / Math.abs(reward.mean)) ** 2 * 1.2)
  const pair = `${policy} and ${result.policies[0].name} cannot be told apart by reward`
  const advice =
    reward.mean !== 0 && needed <= 1e6
      ? `about ${grouped(needed)} replications would, if the difference is what it seems`
      : 'their rewards may well be equal'
  return style.dim(`${pair}; ${advice}`)
}

export function range(
  { lower, upper }: { lower: number; upper: number },
  format: (value: number) => string = short,
): string {
  return `[${format(lower)}, ${format(upper)}]`
}

/** `passed  learns` or `failed  learns` with the rule and the numbers that broke it. */
export function rulesText(noun: 'expectation' | 'gate', rules: readonly RuleResult[], style: Style): string {
  const failed = rules.filter(rule => !rule.passed).length
  const lines = rules.flatMap(({ id, expr, passed, reason }) => [
    `${passed ? style.green('passed') : style.red('failed')}  ${id}`,
    ...(passed ? [] : [`        ${style.dim(expr)}`, ...(reason ? [`        ${reason}`] : [])]),
  ])
  const summary =
    failed === 0
      ? style.green(`${plural(rules.length, noun)} passed`)
      : style.red(`${failed} of ${plural(rules.length, noun)} failed`)
  return [...lines, summary].join('\n')
}

/** A list of those that failed, or a sentence; nothing where there is none. */
export function rulesMarkdown(rules: readonly RuleResult[]): string[] {
  if (rules.length === 0) return []
  const lines = rules.map(({ id, expr, passed, reason }) =>
    passed ? `- ✓ ${code(id)}` : `- ✗ ${code(id)}: ${code(expr)}${reason ? `<br>${prose(reason)}` : ''}`,
  )
  return [lines.join('\n')]
}
