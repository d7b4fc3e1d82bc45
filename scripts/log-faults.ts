/**
 * Seeded faults in large logs: `node scripts/log-faults.ts --faults 300 --rows 200000 [--seed 1] [--format csv]…`. Prints how each kind of
 * fault was met by every command that reads it, and exits 1 where one was not named, or was, but not at its place. `npm test` has 20 of
 * them in small logs.
 */
import { parseArgs } from 'node:util'
import { FORMATS, type Format, faultyLog, openSite, wholeLog } from '../test/support/log-faults.ts'

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '300' },
    rows: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string', multiple: true, default: [...FORMATS] },
  },
})
const [faults, rows, seed] = [values.faults, values.rows, values.seed].map(Number)
const cells = (format: string, fault: string, ...numbers: readonly (string | number)[]) =>
  console.log([format.padEnd(9), fault.padEnd(28), ...numbers.map(number => String(number).padStart(8))].join(' '))

let missed = 0
cells('format', 'fault', 'faults', 'readings', 'missed', 'seconds')
for (const format of values.format as Format[]) {
  const whole = await wholeLog(format, rows, seed)
  const site = openSite(whole)
  const met = new Map<string, { faults: number; readings: number; missed: number; ms: number }>()
  const misses = await site.whole()
  for (const miss of misses) console.error(miss)
  missed += misses.length
  for (let n = 0; n < faults; n++) {
    const log = await faultyLog(whole, n, seed)
    const known = met.get(log.fault) ?? { faults: 0, readings: 0, missed: 0, ms: 0 }
    met.set(log.fault, known)
    const begun = performance.now()
    const { readings, misses } = await site.check(log)
    for (const miss of misses) console.error(miss)
    known.faults++
    known.readings += readings
    known.missed += misses.length
    known.ms += performance.now() - begun
    missed += misses.length
  }
  for (const [fault, { faults, readings, missed, ms }] of met) {
    cells(format, fault, faults, readings, missed, (ms / 1000).toFixed(1))
  }
  site.remove()
}
console.log(missed === 0 ? 'every fault was named at its place' : `${missed} readings missed a fault`)
process.exitCode = missed === 0 ? 0 : 1
