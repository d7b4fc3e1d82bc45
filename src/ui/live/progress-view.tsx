import { Box, render, Text } from 'ink'
import type { ProgressEvent } from '../../command.ts'
import { grouped } from '../numbers.ts'

const BAR = 24

export interface ProgressProps {
  readonly event: ProgressEvent
  readonly elapsedMs: number
}

/** `replications  ████████░░░░  120 of 200  3 s left` */
export function Progress({ event: { unit, done, total }, elapsedMs }: ProgressProps) {
  if (total === undefined) {
    return (
      <Text>
        {grouped(done)} {unit}
      </Text>
    )
  }
  const fraction = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(fraction * BAR)
  const left = fraction > 0 ? Math.ceil((elapsedMs * (1 - fraction)) / fraction / 1000) : undefined
  return (
    <Box gap={2}>
      <Text>{unit}</Text>
      <Text>
        <Text color="cyan">{'█'.repeat(filled)}</Text>
        <Text dimColor>{'░'.repeat(BAR - filled)}</Text>
      </Text>
      <Text>
        {grouped(done)} of {grouped(total)}
      </Text>
      {left !== undefined && <Text dimColor>{left} s left</Text>}
    </Box>
  )
}

/** Draws progress until stopped, then wipes it: the result is all that stays on the screen. */
export function mountProgress(stderr: NodeJS.WriteStream) {
  const app = render(null, { stdout: stderr, exitOnCtrlC: false, patchConsole: false })
  return {
    update(event: ProgressEvent, elapsedMs: number) {
      app.rerender(<Progress event={event} elapsedMs={elapsedMs} />)
    },
    stop() {
      app.clear()
      app.unmount()
    },
  }
}
