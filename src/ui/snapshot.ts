import type { TextContext } from '../command.ts'
import type { Coefficient, SnapshotShowResult } from '../policy/snapshot-describe.ts'
import type { ActionDiff, NumberChange, SnapshotDiffResult } from '../policy/snapshot-diff.ts'
import type { HeldOut, SnapshotData } from '../policy/snapshot-format.ts'
import { foremost } from './foremost.ts'
import { plural, short, signed } from './numbers.ts'
import { type Column, table } from './table.ts'

/** What a snapshot knows: where it comes from, then a row an action, or an action and feature. */
export function snapshotDescriptionText(snapshot: SnapshotShowResult, context: TextContext): string {
  const { style } = context
  const { digest, dap, policy, learner, count, data, actions, coefficients: shared } = snapshot
  const facts: (readonly [string, string])[] = [
    ['snapshot', digest],
    ['policy', `${policy.name}  ${policy.digest}`],
    ['learner', JSON.stringify(learner)],
    ['learnt', `${short(count)} ${count === 1 ? 'reward' : 'rewards'}`],
    ...(data === null
      ? []
      : ([
          ['from', `${data.dataset}, ${plural(data.rows, 'row')}${period(data)}  ${data.digest}`],
          ['held out', heldOutText(data.heldOut)],
        ] as const)),
    ...(data?.remembered === undefined ? [] : [['remembers', rememberedText(data.remembered)] as const]),
    ...(dap === null ? [] : [['made by', `dap ${dap}`] as const]),
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  const head = facts.map(([name, fact]) => `${style.dim(name.padEnd(width))}  ${fact}`).join('\n')
  const linear = actions.some(action => action.coefficients !== undefined)
  const { shown, more } = foremost(actions, ({ count: n }) => n ?? 0, 'action')
  const rows = shown.flatMap(({ id, count: n, value, width, coefficients }) => {
    const learnt = number(n)
    if (coefficients === undefined) {
      return [shared === undefined ? [id, learnt, number(value), plusMinus(width)] : [id, learnt]]
    }
    return coefficients.map((c, i) => [
      i === 0 ? id : '',
      i === 0 ? learnt : '',
      c.feature,
      short(c.value),
      plusMinus(c.width),
    ])
  })
  const right = (title: string) => ({ title, align: 'right' as const })
  const columns: Column[] = [
    { title: 'action' },
    right('rewards'),
    ...(linear
      ? [{ title: 'feature' }, right('coefficient'), right('width')]
      : shared === undefined
        ? [right('value'), right('width')]
        : []),
  ]
  // Requests may bring the actions: there are none to list.
  const listed = rows.length === 0 ? [] : [[table(columns, rows, context), ...more].join('\n')]
  const ofAll = shared === undefined ? [] : [strongest(shared, context)]
  // What many have in common says more than the first few.
  return [head, ...(more.length > 0 ? [...ofAll, ...listed] : [...listed, ...ofAll])].join('\n\n')
}

/** So many features of a model that actions share are enough to see what it goes by. */
const MOST_FEATURES = 30

/** Those that move values most, per unit of each. */
function strongest(coefficients: readonly Coefficient[], context: TextContext): string {
  const sorted = coefficients.toSorted((a, b) => Math.abs(b.value ?? 0) - Math.abs(a.value ?? 0))
  const rows = sorted
    .slice(0, MOST_FEATURES)
    .map(({ feature, value, width }) => [feature, number(value), plusMinus(width)])
  const columns: Column[] = [
    { title: 'feature' },
    { title: 'coefficient', align: 'right' },
    { title: 'width', align: 'right' },
  ]
  const more = sorted.length - rows.length
  return [
    table(columns, rows, context),
    ...(more > 0 ? [`and ${plural(more, 'weaker one')}; --json has all`] : []),
  ].join('\n')
}

/** What changed from one snapshot to another, the largest change first. */
export function snapshotDiffText(diff: SnapshotDiffResult, context: TextContext): string {
  const { style } = context
  if (diff.same) return `no difference: both are ${diff.before}`
  const parts = [`${style.dim('before')}  ${diff.before}\n${style.dim('after ')}  ${diff.after}`]
  if (diff.facts.length > 0) {
    const rows = diff.facts.map(({ name, before, after }) => [name, fact(before, after), fact(after, before)])
    parts.push(
      table([{ title: 'fact' }, { title: 'before', prose: true }, { title: 'after', prose: true }], rows, context),
    )
  }
  if ((diff.coefficients ?? []).length > 0) {
    const rows = diff.coefficients!.map(({ feature, before, after }) => [feature, number(before), number(after)])
    const right = { align: 'right' as const }
    const columns = [{ title: 'feature' }, { title: 'before', ...right }, { title: 'after', ...right }]
    parts.push(table(columns, rows, context))
  }
  if (diff.actions.length > 0) {
    const titles = ['before', 'after', 'change'].map(title => ({ title, align: 'right' as const }))
    const { shown, more } = foremost(diff.actions, () => 0, 'action')
    const rows = shown.flatMap(actionRows)
    const columns = [{ title: 'action' }, { title: '' }, { title: 'what' }, ...titles]
    parts.push([table(columns, rows, context), ...more].join('\n'))
  }
  return parts.join('\n\n')
}

function actionRows({ id, status, count, value, coefficients = [] }: ActionDiff): string[][] {
  const changes: [string, NumberChange][] = [
    ['rewards', count],
    ...(value === undefined ? [] : [['value', value] as [string, NumberChange]]),
    ...coefficients.map((change): [string, NumberChange] => [change.feature, change]),
  ]
  const shown = changes.filter(([what, { before, after }]) => what === 'rewards' || before !== after)
  return shown.map(([what, { before, after }], i) => [
    i === 0 ? id : '',
    i === 0 && status !== 'changed' ? status : '',
    what,
    number(before),
    number(after),
    before === null || after === null || before === after ? '' : signed(after - before),
  ])
}

/** Of two lists, what the other one does not have. */
function fact(value: unknown, other: unknown): string {
  if (value === null) return 'none'
  if (Array.isArray(value) && Array.isArray(other)) {
    const own = value.filter(name => !other.includes(name))
    return own.length === 0 ? plural(value.length, 'name') : own.join(', ')
  }
  return typeof value === 'string' ? value : typeof value === 'number' ? short(value) : JSON.stringify(value)
}

const number = (value: number | null | undefined) => (value == null ? 'none' : short(value))

const plusMinus = (width: number | null | undefined) => (width == null ? '' : `± ${short(width)}`)

type Remembered = NonNullable<SnapshotData['remembered']>

function heldOutText(heldOut: HeldOut | undefined): string {
  if (heldOut === undefined) return 'not known'
  const { groups, by } = heldOut
  return groups === 0 ? 'nothing' : `${groups} of 1,024 groups of ${by}s`
}

/** What still counts, and from when on. How it forgets is an option of the learner, which is shown beside. */
function rememberedText({ rows, effectiveRows, bucket, buckets, since, at }: Remembered): string {
  const worth = rows === effectiveRows ? '' : `, worth ${short(effectiveRows)} new ones`
  return `${plural(rows, 'row')} in ${plural(buckets, 'bucket')} of ${bucket}, ${since} to ${at}${worth}`
}

function period({ from, to }: { readonly from?: string; readonly to?: string }): string {
  return from === undefined || to === undefined ? '' : `, ${from} to ${to}`
}
