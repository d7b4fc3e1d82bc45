import { Box, render, Text } from 'ink'
import type { ReactNode } from 'react'
import type { DeployEvent, GateReading } from '../../deploy/doing/events.ts'
import { durationText } from '../../titles.ts'
import { tally } from '../cloud.ts'
import { readingText, STATE_SYMBOLS, STATE_WORDS, stageText } from '../deploy.ts'
import { plural } from '../numbers.ts'
import { type ChangeView, type DeploymentView, type DeployView, fold, isAtWork, NOTHING_YET } from './deploy-state.ts'

export interface DeployProps {
  readonly view: DeployView
  /** Of the clock that the events were folded with. */
  readonly now: number
  /** Lines that may be drawn. */
  readonly rows: number
}

/** Every deployment with its changes; where these do not fit, less of each; where that does not fit, only those at work. */
export function Deploy({ view: { deployments }, now, rows }: DeployProps) {
  const whole = deployments.flatMap(each => wholeLines(each, now, false))
  if (whole.length <= rows) return <Lines lines={whole} />
  const folded = deployments.flatMap(each => wholeLines(each, now, true))
  return <Lines lines={folded.length <= rows ? folded : briefLines(deployments, now, rows)} />
}

const Lines = ({ lines }: { readonly lines: readonly ReactNode[] }) => (
  <Box flexDirection="column">
    {lines.map((line, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
      <Text key={i} wrap="truncate-end">
        {line}
      </Text>
    ))}
  </Box>
)

function wholeLines(view: DeploymentView, now: number, folded: boolean): ReactNode[] {
  const { changes, hold, note, traffic } = view
  const done = changes.filter(each => each.done)
  const waiting = changes.filter(each => each.started === null)
  const fold = (all: readonly ChangeView[], mark: string) =>
    folded && all.length > 1
      ? [dim(`  ${mark} ${plural(all.length, 'change')}`)]
      : all.map(({ title }) => dim(`  ${mark} ${title}`))
  return [
    headLine(view),
    ...fold(done, '✓'),
    ...changes.filter(isAtWork).map(change => workLine(change, view, now)),
    ...(hold?.gates ?? []).map(gateLine),
    ...(note === null ? [] : [dim(`    ${note}`)]),
    ...(view.state === null ? fold(waiting, ' ') : []),
    ...(traffic === null ? [] : [trafficLine(view)]),
  ]
}

const dim = (text: string): ReactNode => <Text dimColor>{text}</Text>

function headLine({ deployment, state, reason }: DeploymentView): ReactNode {
  if (state === null) return <Text bold>{deployment}</Text>
  return (
    <>
      <Text color={state === 'applied' ? 'green' : state === 'unchanged' ? undefined : 'yellow'}>
        {STATE_SYMBOLS[state]}
      </Text>{' '}
      <Text bold>{deployment}</Text> {STATE_WORDS[state]}
      {reason === null ? '' : `: ${reason}`}
    </>
  )
}

function workLine(change: ChangeView, view: DeploymentView, now: number): ReactNode {
  return view.state === null ? (
    <>
      <Text color="cyan">{'  ▸ '}</Text>
      {change.title}
      {workText(change, view, now)}
    </>
  ) : (
    <>
      <Text color="yellow">{'  ! '}</Text>
      {change.title}
    </>
  )
}

/** How long it takes already, or how long it is still held; what the cloud says. */
function workText({ started, stage }: ChangeView, { hold }: DeploymentView, now: number): ReactNode {
  const time =
    hold === null
      ? `  ${seconds(now - (started ?? now))}`
      : hold.ends > now
        ? `  ${seconds(hold.ends - now + 999)} left`
        : ''
  return (
    <Text dimColor>
      {time}
      {stage === null ? '' : `  ${stageText(stage)}`}
    </Text>
  )
}

const seconds = (ms: number) => durationText(Math.floor(ms / 1000) * 1000)

const GATE_COLORS = { pass: 'green', fail: 'red', inconclusive: 'yellow' } as const

function gateLine(gate: GateReading): ReactNode {
  return (
    <>
      {`    ${gate.metric.padEnd(10)}  `}
      <Text color={GATE_COLORS[gate.outcome]}>{gate.outcome.padEnd(12)}</Text>
      {`  ${readingText(gate)}`}
    </>
  )
}

const BAR = 24
const FILLS = ['█', '░', '▒', '▓']

/** `traffic  ██░░░░░░░░░░░░░░░░░░░░░░  █ 10 % new  ░ 90 % old` */
function trafficLine({ traffic, order, names }: DeploymentView): ReactNode {
  const shares = order.map(id => traffic?.[id] ?? 0)
  const ends = shares.map((_, i) => Math.round((shares.slice(0, i + 1).reduce((a, b) => a + b, 0) / 100) * BAR))
  const fill = (i: number) => FILLS[i % FILLS.length]
  const bar = shares.map((_, i) => fill(i).repeat(ends[i] - (ends[i - 1] ?? 0))).join('')
  const legend = order.map((id, i) => (shares[i] === 0 ? '' : `  ${fill(i)} ${shares[i]} % ${names[id] ?? id}`))
  return (
    <>
      {'  traffic  '}
      <Text color="cyan">{bar.padEnd(BAR)}</Text>
      {legend.join('')}
    </>
  )
}

/** A line each for those at work, as far as there is room, and one for all the others. */
function briefLines(deployments: readonly DeploymentView[], now: number, rows: number): ReactNode[] {
  const finished = deployments.flatMap(({ state }) => state ?? [])
  const working = deployments.filter(({ state }) => state === null)
  const room = working.length < rows ? working.length : Math.max(0, rows - 2)
  const width = Math.max(0, ...working.slice(0, room).map(({ deployment }) => deployment.length))
  return [
    ...(finished.length === 0 ? [] : [dim(tally(finished, STATE_WORDS))]),
    ...working.slice(0, room).map(view => briefLine(view, width, now)),
    ...(working.length > room ? [dim(`and ${working.length - room} more`)] : []),
  ]
}

function briefLine(view: DeploymentView, width: number, now: number): ReactNode {
  const { deployment, changes } = view
  const change = changes.findLast(isAtWork)
  const done = changes.filter(each => each.done).length
  return (
    <>
      <Text bold>{deployment.padEnd(width)}</Text>
      {`  ${done} of ${changes.length}  ${change?.title ?? ''}`}
      {change !== undefined && workText(change, view, now)}
    </>
  )
}

const TICK_MS = 250

/** Draws a deploy until stopped, then wipes it: the result says all of it once more. */
export function mountDeploy(stderr: NodeJS.WriteStream) {
  let view = NOTHING_YET
  const picture = () => {
    // A picture as high as the screen would have to wipe it every time.
    const rows = (stderr.rows ?? 24) - 2
    return <Deploy view={view} now={performance.now()} rows={rows} />
  }
  const app = render(picture(), { stdout: stderr, exitOnCtrlC: false, patchConsole: false })
  const tick = setInterval(() => app.rerender(picture()), TICK_MS)
  return {
    update(event: DeployEvent, at: number) {
      view = fold(view, event, at)
    },
    stop() {
      clearInterval(tick)
      app.clear()
      app.unmount()
    },
  }
}
