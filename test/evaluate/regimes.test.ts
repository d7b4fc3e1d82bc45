import { describe, expect, it } from 'vitest'
import { measure, REGIMES } from './support/regimes.ts'

/** Of each regime; `npm run coverage` judges more of them. */
const LOGS = 100

describe(`verdicts and intervals over ${LOGS} logs a regime of known value`, () => {
  /** Two standard errors of a share of that many logs. */
  const slack = (share: number, logs: number) => 2 * Math.sqrt((share * (1 - share)) / logs)

  for (const regime of REGIMES) {
    it(`mean what they say: ${regime.name}`, async () => {
      const logs = regime.large === true ? LOGS / 2 : LOGS
      const { ok, estimators } = await measure(regime, logs)
      const said = JSON.stringify(estimators, undefined, 1)
      for (const of of estimators) {
        if (ok >= 0.15 * logs) {
          expect(of.valueOk, said).toBeGreaterThan(0.93 - slack(0.93, ok))
          expect(of.liftOk, said).toBeGreaterThan(0.93 - slack(0.93, ok))
        }
        expect(of.nullPasses, said).toBeLessThan(0.035 + slack(0.035, logs))
        // An interval narrower than the oracle's would be luck.
        for (const width of [of.valueWidth, of.liftWidth]) {
          expect(width, said).toBeGreaterThan(0.75)
          if (regime.widest !== undefined) expect(width, said).toBeLessThan(regime.widest * 1.1)
        }
      }
      if (regime.ok !== undefined) expect(ok / logs, said).toBeGreaterThan(regime.ok - slack(regime.ok, logs))
    })
  }
})
