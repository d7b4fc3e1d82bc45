import { Box, Text, useInput } from 'ink'
import { useEffect, useReducer } from 'react'
import { type Answer, answered, UNANSWERED } from './answer.ts'
import { asked } from './asked.ts'

/** `apply this plan? [y/N] y` */
export function Question({ question, answer: { typed, yes, unclear } }: { question: string; answer: Answer }) {
  return (
    <Box flexDirection="column">
      <Text>
        <Text bold>{question}</Text> [y/N] {typed}
        {yes === undefined && <Text inverse> </Text>}
      </Text>
      {unclear && <Text dimColor>y or n; Enter alone is no</Text>}
    </Box>
  )
}

function Live({ question, onDone }: { question: string; onDone: (yes: boolean) => void }) {
  const [answer, type] = useReducer(answered, UNANSWERED)
  useInput((input, key) => {
    type(
      key.return
        ? '\r'
        : key.backspace || key.delete
          ? '\b'
          : key.escape
            ? '\u001b'
            : key.ctrl || key.meta
              ? ''
              : input,
    )
  })
  useEffect(() => {
    if (answer.yes !== undefined) onDone(answer.yes)
  }, [answer.yes, onDone])
  return <Question question={question} answer={answer} />
}

/** Asks on the terminal, where question and answer stay; rejects when the user interrupts. */
export function agree(question: string, stderr: NodeJS.WriteStream, signal: AbortSignal): Promise<boolean> {
  return asked<boolean>(done => <Live question={question} onDone={done} />, stderr, signal)
}
