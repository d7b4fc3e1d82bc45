/** Tries until it does not throw. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries === 200) throw error
      await new Promise(next => setTimeout(next, 100))
    }
  }
}
