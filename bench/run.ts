/** `npm run bench [name…]`: the measurements of the budgets, each as ratios between things timed in turn in this run. */
import { cpus } from 'node:os'

const BENCHES: Readonly<Record<string, () => Promise<{ bench(): Promise<void> }>>> = {
  startup: () => import('./startup.ts'),
  functions: () => import('./functions.ts'),
  validate: () => import('./validate.ts'),
  simulate: () => import('./simulate.ts'),
  evaluate: () => import('./evaluate.ts'),
  joins: () => import('./joins.ts'),
  decide: () => import('./decide.ts'),
  train: () => import('./train.ts'),
  hashed: () => import('./hashed.ts'),
  serve: () => import('./serve.ts'),
  models: () => import('./models.ts'),
  plan: () => import('./plan.ts'),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !(name in BENCHES))
if (unknown.length > 0) {
  process.stderr.write(`error: no bench ${unknown.join(', ')}\nhint: one of ${Object.keys(BENCHES).join(', ')}\n`)
  process.exit(3)
}
console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0].model}\n`)
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  console.log(`## ${name}`)
  await (await BENCHES[name]()).bench()
  console.log()
}
