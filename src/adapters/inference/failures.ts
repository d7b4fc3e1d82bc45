import { DapError } from '../../errors.ts'
import { ModelFailure } from '../../models/runtime.ts'

/** Bytes of the largest answer that is read. */
export const MOST_BYTES = 16 * 1024 * 1024

/**
 * What the work comes to, unless the signal is aborted before: then it is a `timeout`, at once. What is thrown on the way and is no ModelFailure is a
 * connection that broke, or was never made: `unreachable`. The work has a signal of its own, since fetch never takes its ear off one that it was given.
 */
export async function asking<T>(
  host: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () => new ModelFailure('timeout', `${host} did not answer in time`)
  if (signal.aborted) throw late()
  const stop = new AbortController()
  const leave = () => stop.abort()
  signal.addEventListener('abort', leave)
  const left = new Promise<never>((_, reject) => stop.signal.addEventListener('abort', () => reject(late())))
  try {
    return await Promise.race([left, work(stop.signal)])
  } catch (error) {
    throw error instanceof ModelFailure ? error : unreachable(host, error)
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** fetch says what happened in causes, some of them of several tries. */
interface Thrown {
  readonly code?: unknown
  readonly cause?: Thrown
  readonly errors?: readonly Thrown[]
}

function unreachable(host: string, error: unknown): ModelFailure {
  if (error instanceof DapError) return new ModelFailure('unreachable', error.message, { transient: false })
  const { cause = error as Thrown } = error as Thrown
  const code = cause.code ?? cause.errors?.[0]?.code
  return new ModelFailure('unreachable', `${host} cannot be reached${typeof code === 'string' ? `: ${code}` : ''}`)
}

/** What an answer is decoded to. A RangeError is one of its bytes: it is no answer. */
export function decoding<T>(host: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof RangeError) throw new ModelFailure('answer', `${host}: ${error.message}`)
    throw error
  }
}

/** The first line of what a server says of itself, in a message of one's own; a whole answer might have anything in it. */
export function firstLine(said: unknown): string {
  const line =
    typeof said === 'string'
      ? said
          .split('\n', 1)[0]
          .replace(/\p{Cc}/gu, ' ')
          .trim()
      : ''
  return line === '' ? '' : `: ${line.length > 160 ? `${line.slice(0, 160)}…` : line}`
}
