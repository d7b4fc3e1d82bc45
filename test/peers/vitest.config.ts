import { defineConfig } from 'vitest/config'
import { ledger } from './ledger.ts'

/** `npm run peers`: dap beside real programs of others, for which `npm test` has no time. One file after the other, by their names. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/peers/*.peer.ts'],
    env: { FORCE_COLOR: '0', NO_COLOR: '1', TZ: 'UTC' },
    globalSetup: 'test/support/temporary.ts',
    fileParallelism: false,
    reporters: ['default', ledger],
    // Each test may say another limit; none has more than the time that a person would wait.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
