/**
 * `npm run coverage [--logs n] [regime…]`: do intervals cover, and does `ok` mean what it says? A row a regime and estimator, of seeded
 * logs whose truth is known; `test/evaluate/coverage.test.ts` asserts the same of fewer logs.
 */
import { parseArgs } from 'node:util'
import { type Measurement, measure, REGIMES } from '../test/evaluate/support/regimes.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { logs: { type: 'string' } } })
const wanted = REGIMES.filter(({ name }) => positionals.length === 0 || positionals.some(part => name.includes(part)))
/** Below so many logs nothing is said of what `ok` means. */
const SELDOM = 300

console.log(
  'regime                                   est    value  width   lift  width   ok    value|ok lift|ok null passes',
)
for (const regime of wanted) {
  const measurement = await measure(regime, values.logs === undefined ? regime.logs : Number(values.logs))
  for (const line of lines(regime.name, measurement)) console.log(line)
}

function lines(name: string, { logs, ok, estimators }: Measurement): string[] {
  const share = (x: number) => x.toFixed(3).padStart(6)
  return estimators.map((of, i) =>
    [
      (i === 0 ? name : '').padEnd(40),
      of.estimator.padEnd(5),
      share(of.value),
      of.valueWidth.toFixed(2).padStart(6),
      share(of.lift),
      of.liftWidth.toFixed(2).padStart(6),
      share(ok / logs),
      ok < Math.min(SELDOM, logs / 2) ? 'seldom ok       ' : `${share(of.valueOk)}   ${share(of.liftOk)} `,
      of.nullPasses.toFixed(4),
    ].join(' '),
  )
}
