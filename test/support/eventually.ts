import { vi } from 'vitest'

/** Tries until it does not throw; a machine may be slow, so for as long as a test may take. */
export const eventually = <T>(attempt: () => Promise<T>): Promise<T> =>
  vi.waitFor(attempt, { timeout: 300_000, interval: 50 })
