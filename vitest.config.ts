import { defineConfig } from 'vitest/config'

const LIMIT_MS = 600_000

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    env: { FORCE_COLOR: '0', NO_COLOR: '1', TZ: 'UTC' },
    globalSetup: 'test/support/temporary.ts',
    // One limit for all, which only what hangs ever meets: no test says how fast a machine is.
    testTimeout: LIMIT_MS,
    hookTimeout: LIMIT_MS,
    expect: { poll: { timeout: LIMIT_MS / 2, interval: 10 } },
    // Vitest leaves one of the cores alone.
    maxWorkers: '100%',
  },
})
