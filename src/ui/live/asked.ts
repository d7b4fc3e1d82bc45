import { render } from 'ink'
import type { ReactElement } from 'react'
import { InterruptedError } from '../../errors.ts'

/** Asks on the terminal, where question and answer stay; rejects when the user stops. `draw` is told what to call for either. */
export async function asked<Answer extends string | boolean>(
  draw: (done: (answer: Answer) => void, stop: () => void) => ReactElement,
  stderr: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<Answer> {
  let said: Answer | undefined
  const stop = () => app.unmount()
  const done = (answer: Answer) => {
    said = answer
    stop()
  }
  const app = render(draw(done, stop), { stdout: stderr, exitOnCtrlC: true, patchConsole: false })
  signal.addEventListener('abort', stop, { once: true })
  await app.waitUntilExit()
  if (said === undefined) throw new InterruptedError()
  return said
}
