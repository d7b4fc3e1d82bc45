import { Box, Text, useInput } from 'ink'
import { useEffect, useReducer } from 'react'
import type { Choice } from '../../host.ts'
import { asked } from './asked.ts'

export interface SelectProps {
  readonly question: string
  readonly choices: readonly Choice[]
  readonly onDone: (value: string) => void
  readonly onStop?: () => void
}

interface Selection {
  readonly at: number
  /** Once Enter was pressed. */
  readonly chosen?: number
}

/** Keys may come faster than the view is drawn, so what one does follows from the state, not from what was drawn. */
export function selected(
  before: Selection,
  key: { readonly by: number; readonly of: number } | { readonly enter: true; readonly of: number },
): Selection {
  if (before.chosen !== undefined) return before
  return 'enter' in key ? { ...before, chosen: before.at } : { at: (before.at + key.by + key.of) % key.of }
}

/** A question with its choices below; arrows move, enter takes. */
export function Select({ question, choices, onDone, onStop }: SelectProps) {
  const [{ at, chosen }, press] = useReducer(selected, { at: 0 })
  useInput((input, key) => {
    if (key.escape) onStop?.()
    else if (key.return) press({ enter: true, of: choices.length })
    else if (key.upArrow || input === 'k') press({ by: -1, of: choices.length })
    else if (key.downArrow || input === 'j') press({ by: 1, of: choices.length })
  })
  useEffect(() => {
    if (chosen !== undefined) onDone(choices[chosen].value)
  }, [chosen, choices, onDone])
  // What is drawn last stays on the screen.
  if (chosen !== undefined) {
    return (
      <Text>
        <Text bold>{question}</Text> {choices[chosen].value}
      </Text>
    )
  }
  const width = Math.max(...choices.map(choice => choice.value.length))
  return (
    <Box flexDirection="column">
      <Text bold>{question}</Text>
      {choices.map(({ value, description }, i) => (
        <Box key={value} gap={1}>
          <Box flexShrink={0}>
            <Text color={i === at ? 'cyan' : undefined}>
              {i === at ? '❯' : ' '} {value.padEnd(width)}
            </Text>
          </Box>
          <Text dimColor>{description}</Text>
        </Box>
      ))}
      <Text dimColor>↑ ↓ to move, enter to choose, esc or ctrl-c to stop</Text>
    </Box>
  )
}

/** Asks on the terminal; rejects when the user interrupts. */
export function select(
  question: string,
  choices: readonly Choice[],
  stderr: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<string> {
  return asked<string>(
    (done, stop) => <Select question={question} choices={choices} onDone={done} onStop={stop} />,
    stderr,
    signal,
  )
}
