/** One line of the server's own log: what happened to it, never what it was asked. */
export type Tell = (level: keyof typeof LEVELS, event: string, facts?: Readonly<Record<string, unknown>>) => void

/** pino's numbers, so that its tools read these lines. */
const LEVELS = { info: 30, warn: 40, error: 50 } as const

export function createEvents(write: (line: string) => void, now: () => number): Tell {
  const { pid } = process
  return (level, event, facts = {}) =>
    write(`${JSON.stringify({ level: LEVELS[level], time: now(), pid, msg: event, ...facts })}\n`)
}
