import { render, Text } from 'ink'
import { type Pace, paceText } from './pace.ts'

const WIPE_LINE_ABOVE = '\u001b[1A\u001b[2K'

const BAR = 24

/** With a bar, a line needs so much. */
const ROOM_FOR_BAR = 76

export interface ProgressProps {
  readonly pace: Pace
  readonly columns: number
}

/** `████████░░░░  120 of 200 replications · 40/s · 2 s left` */
export function Progress({ pace, columns }: ProgressProps) {
  const { done, total } = pace
  const text = paceText(pace)
  if (total === undefined || columns < ROOM_FOR_BAR) return <Text wrap="truncate-end">{text}</Text>
  const filled = Math.round((total === 0 ? 1 : Math.min(1, done / total)) * BAR)
  return (
    <Text wrap="truncate-end">
      <Text color="cyan">{'█'.repeat(filled)}</Text>
      <Text dimColor>{'░'.repeat(BAR - filled)}</Text>
      {'  '}
      {text}
    </Text>
  )
}

/** Draws progress until stopped, then wipes it: the result is all that stays on the screen. */
export function mountProgress(stderr: NodeJS.WriteStream) {
  const app = render(null, { stdout: stderr, exitOnCtrlC: false, patchConsole: false })
  return {
    update(pace: Pace) {
      app.rerender(<Progress pace={pace} columns={stderr.columns} />)
    },
    stop() {
      // The end draws what still waits to be drawn, so the line is wiped after it.
      app.unmount()
      stderr.write(WIPE_LINE_ABOVE)
    },
  }
}
