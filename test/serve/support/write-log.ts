/**
 * A process of its own that logs: `folder records bytes`. It prints how many records it knows to be written, again and again, and in the
 * end the writer's failures.
 */
import { writeSync } from 'node:fs'
import { fileSink } from '../../../src/serve/log/files.ts'
import { createLogWriter } from '../../../src/serve/log/log-writer.ts'

const [folder, records, bytes] = process.argv.slice(2)
const sink = fileSink(folder, { fsync: 'never', clock: Date, worker: 'child' })
const log = createLogWriter(sink, { flushMs: 2, flushBytes: 20_000 })
for (let n = 0; n < Number(records); n++) {
  log.push('decisions', JSON.stringify({ process: process.pid, n, filler: 'x'.repeat(Number(bytes)) }))
  if (n % 20 === 0) await new Promise(resolve => setImmediate(resolve))
  writeSync(1, `${log.stats.written.decisions}\n`)
}
await log.close(10_000)
writeSync(1, `failures ${log.stats.failures}\n`)
