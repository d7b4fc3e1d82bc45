import { Box, render, Text, useInput } from 'ink'
import { useState } from 'react'
import { InterruptedError } from '../../errors.ts'
import type { Choice } from '../../host.ts'

export interface SelectProps {
  readonly question: string
  readonly choices: readonly Choice[]
  readonly onDone: (value: string) => void
}

/** A question with its choices below; arrows move, enter takes. */
export function Select({ question, choices, onDone }: SelectProps) {
  const [at, setAt] = useState(0)
  useInput((input, key) => {
    if (key.upArrow || input === 'k') setAt((at + choices.length - 1) % choices.length)
    else if (key.downArrow || input === 'j') setAt((at + 1) % choices.length)
    else if (key.return) onDone(choices[at].value)
  })
  const width = Math.max(...choices.map(choice => choice.value.length))
  return (
    <Box flexDirection="column">
      <Text bold>{question}</Text>
      {choices.map(({ value, description }, i) => (
        <Text key={value} color={i === at ? 'cyan' : undefined}>
          {i === at ? '❯' : ' '} {value.padEnd(width)} <Text dimColor>{description}</Text>
        </Text>
      ))}
      <Text dimColor>↑ ↓ to move, enter to choose, ctrl-c to stop</Text>
    </Box>
  )
}

/** Asks on the terminal; rejects when the user interrupts. */
export async function select(
  question: string,
  choices: readonly Choice[],
  stderr: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<string> {
  let chosen: string | undefined
  const app = render(
    <Select
      question={question}
      choices={choices}
      onDone={value => {
        chosen = value
        app.clear()
        app.unmount()
      }}
    />,
    { stdout: stderr, exitOnCtrlC: true, patchConsole: false },
  )
  signal.addEventListener('abort', () => app.unmount(), { once: true })
  await app.waitUntilExit()
  if (chosen === undefined) throw new InterruptedError()
  return chosen
}
