import { Box, Text, useInput } from 'ink'
import { useEffect, useState } from 'react'
import type { LineQuestion } from '../../host.ts'
import { asked } from './asked.ts'
import { type Line, typedOn } from './line.ts'

/** `Its name? (shop) sho` */
export function Asked({ question, standard, line }: LineQuestion & { readonly line: Line }) {
  const { typed, value, fault } = line
  return (
    <Box flexDirection="column">
      <Text>
        <Text bold>{question}</Text> <Text dimColor>({standard})</Text> {value ?? typed}
        {value === undefined && <Text inverse> </Text>}
      </Text>
      {fault !== undefined && <Text color="red">{fault}</Text>}
      {value === undefined && <Text dimColor>enter to go on, esc or ctrl-c to stop</Text>}
    </Box>
  )
}

function Live({ asked, onDone, onStop }: { asked: LineQuestion; onDone: (value: string) => void; onStop: () => void }) {
  const [line, setLine] = useState<Line>({ typed: '' })
  useInput((input, key) => {
    if (key.escape) return onStop()
    const letters = key.return ? '\r' : key.backspace || key.delete ? '\b' : key.ctrl || key.meta ? '' : input
    setLine(before => typedOn(before, letters, asked.standard, asked.check))
  })
  useEffect(() => {
    if (line.value !== undefined) onDone(line.value)
  }, [line.value, onDone])
  return <Asked {...asked} line={line} />
}

/** Asks for a line of text on the terminal, where question and answer stay; rejects when the user stops. */
export function askLine(question: LineQuestion, stderr: NodeJS.WriteStream, signal: AbortSignal): Promise<string> {
  return asked<string>((done, stop) => <Live asked={question} onStop={stop} onDone={done} />, stderr, signal)
}
