import type { TestContext } from 'vitest'

/** What a step stands on. Without a registry nothing can be shown, which is no excuse where everything has to be. */
export async function needs<T>({ skip }: TestContext, get: () => Promise<T>): Promise<T> {
  return get().catch((error: Error) => {
    if (process.env['CI']) throw error
    return skip(`not tried, since what it needs cannot be had here: ${error.message.split('\n')[0]}`)
  })
}
