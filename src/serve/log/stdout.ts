import type { Sink } from './log-writer.ts'

/** Both streams in one, a record a line: each names its schema. `write` resolves when the reader has taken the text. */
export function stdoutSink(write: (text: string) => Promise<void>): Sink {
  return {
    write: (_, lines) => write(Buffer.from(lines).toString()),
    async close() {},
  }
}
