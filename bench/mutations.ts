/**
 * `npm run mutations -- [folder…] [--count 200] [--seed 1] [--only ID] [--quick SECONDS] [--workers 2] [--json FILE]`: seeded faults in
 * the source, and which of them turn a test red. `--quick` asks only the test files that take at most so long: at least so many are
 * killed. Exits 1 where less than nine in ten are.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Fault, faultsUnder, sample } from './mutations/faults.ts'
import type { Outcome } from './mutations/runner.ts'
import { reachOfTests, testsOf } from './mutations/tests.ts'
import { openWorkshop } from './mutations/workshop.ts'

const GOAL = 0.9
/** Before the baseline has told how long a test file takes. */
const PATIENCE_SECONDS = 300

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    quick: { type: 'string', default: 'Infinity' },
    workers: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})
const { only } = values
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

const every = faultsUnder(root, positionals.length > 0 ? positionals : ['src/policy', 'src/evaluate'])
const faults =
  only === undefined ? sample(every, Number(values.count), values.seed) : every.filter(({ id }) => id.startsWith(only))
if (faults.length === 0) {
  console.error('error: no such fault\nhint: an id is printed with each, and its start is enough: file:line:column')
  process.exit(3)
}
console.log(`${faults.length} of ${every.length} faults, seed ${values.seed}`)

const reach = reachOfTests(root)
const workshop = openWorkshop(root, Number(values.workers))
process.on('exit', () => workshop.remove())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

const files = new Set(faults.map(({ file }) => file))
const needed = [...reach.keys()].filter(test => [...files].some(file => reach.get(test)!.has(file)))
const baseline = await workshop.run(needed.map(file => ({ file, limit: PATIENCE_SECONDS })))
if (baseline.kind !== 'passed') {
  console.error(`error: without a fault, ${describe(baseline)}`)
  process.exit(1)
}
const quick = Object.entries(baseline.seconds).filter(([, taken]) => taken <= Number(values.quick))
const seconds = new Map(quick)
const asked = new Map([...reach].filter(([test]) => seconds.has(test)))
console.log(`${needed.length} test files are green without a fault, ${quick.length} of them are asked\n`)

interface Result {
  readonly fault: Fault
  readonly outcome: Outcome
  readonly seconds: number
}

const results: Result[] = []
for (const [i, fault] of faults.entries()) {
  const begun = performance.now()
  const tests = testsOf(fault.file, asked, seconds).map(file => ({ file, limit: 15 + 4 * seconds.get(file)! }))
  const outcome = await workshop.runWith(fault, tests)
  results.push({ fault, outcome, seconds: (performance.now() - begun) / 1000 })
  console.log(`${i + 1}/${faults.length} ${results[i].seconds.toFixed(1)} s ${fault.id}: ${describe(outcome)}`)
}

console.log('\nfile                                       faults  killed')
for (const file of [...files].sort()) {
  const own = results.filter(({ fault }) => fault.file === file)
  console.log(`${file.padEnd(42)} ${String(own.length).padStart(6)} ${String(killedOf(own)).padStart(7)}`)
}
const killed = killedOf(results)
console.log(`\nkilled ${killed} of ${results.length} (${((100 * killed) / results.length).toFixed(1)} %)`)
const survivors = results.filter(({ outcome }) => outcome.kind === 'passed')
if (survivors.length > 0) console.log(['\nsurvivors:', ...survivors.map(({ fault }) => fault.id)].join('\n'))

if (values.json !== undefined) {
  const report = results.map(({ fault, outcome, seconds }) => ({
    id: fault.id,
    outcome: outcome.kind === 'passed' ? 'survived' : outcome.kind === 'failed' ? 'killed' : outcome.kind,
    ...(outcome.kind === 'passed' ? {} : { by: outcome.file }),
    seconds,
  }))
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
}
process.exit(killed >= GOAL * results.length ? 0 : 1)

function killedOf(some: readonly Result[]): number {
  return some.filter(({ outcome }) => outcome.kind !== 'passed').length
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'passed':
      return 'SURVIVED'
    case 'failed':
      return `killed by ${outcome.file} ${outcome.test}`
    case 'timed out':
      return `timed out in ${outcome.file}`
  }
}
