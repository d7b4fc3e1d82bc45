import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    env: { FORCE_COLOR: '0', NO_COLOR: '1', TZ: 'UTC' },
    globalSetup: 'test/support/temporary.ts',
    testTimeout: 60_000,
    // Vitest leaves one of the cores alone.
    maxWorkers: '100%',
  },
})
