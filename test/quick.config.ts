import { defineConfig } from 'vitest/config'
import all from '../vitest.config.ts'

/**
 * `npm run test:quick`, for the inner loop: the tests of the folders that do no I/O. They run from `src`, so nothing is built; but what
 * `schemas/` says is generated, by `npm run build`.
 */
const FOLDERS = ['math', 'policy', 'models', 'log', 'simulate', 'evaluate', 'train', 'repo', 'deploy', 'ui']

/** Left to `npm test`: experiments that are large enough to fail when a claim is wrong, and searches through hundreds of worlds. */
const LARGE = [
  'deploy/chaos',
  'deploy/owners',
  'evaluate/coverage',
  'evaluate/estimators',
  'evaluate/regimes',
  'evaluate/shed',
  'evaluate/verdicts/learnt',
  'evaluate/verdicts/propensity-test',
  'evaluate/weights/units',
  'log/faults',
  'log/stats/stats',
  'log/used-records',
  'policy/rule-fuzz',
  'simulate/logistic-clicks',
  'simulate/pool-share',
  'simulate/regret-context-free',
  'simulate/regret-linear',
  'simulate/runnable',
  'train/train',
]

export default defineConfig({
  test: {
    ...all.test,
    root: new URL('..', import.meta.url).pathname,
    include: FOLDERS.map(folder => `test/${folder}/**/*.test.{ts,tsx}`),
    exclude: LARGE.map(file => `test/${file}.test.ts`),
  },
})
