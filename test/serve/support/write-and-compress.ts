/** A process that logs, and compresses what it has closed, until it is killed. Arguments: folder, compression. Prints how many records are written before each of the two. */

import { fileSink } from '../../../src/serve/log/files.ts'
import { createLogWriter } from '../../../src/serve/log/log-writer.ts'
import { type Compression, createUpkeep } from '../../../src/serve/log/upkeep.ts'

const [folder, compress] = process.argv.slice(2)
const sink = fileSink(folder, { fsync: 'never', clock: Date, worker: 'child', maxBytes: 200_000 })
const log = createLogWriter(sink, { flushMs: 1 })
const upkeep = createUpkeep(folder, sink, {
  compress: compress as Compression,
  clock: Date,
  onFailure: (work, file, reason) => process.stderr.write(`${work} ${file}: ${reason}\n`),
})
const filler = 'x'.repeat(1000)
for (let n = 0; ; ) {
  for (let i = 0; i < 300; i++) {
    log.push('decisions', JSON.stringify({ process: process.pid, n: n++, filler }))
    if (i % 100 === 0) await log.flush()
  }
  await log.flush()
  process.stdout.write(`${n}\n`)
  await upkeep.look()
  process.stdout.write(`${n}\n`)
}
