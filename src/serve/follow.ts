/** What lies in files that somebody may change. */
export interface Followed {
  /** Cheap; another text whenever `take` might find something else. */
  stamp(): Promise<string>
  /** Takes over what is there, all of it, or throws. */
  take(): Promise<void>
}

/**
 * Takes over what is there, or throws; then looks every `pollMs`, and takes over what has changed. What cannot be taken over then changes
 * nothing, is told once and tried again. Returns what ends it.
 */
export async function follow(
  { stamp, take }: Followed,
  pollMs: number,
  told: (fault: Error | undefined) => void,
): Promise<() => void> {
  let seen = await stamp()
  await take()
  let trouble: string | undefined
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    try {
      const now = await stamp()
      if (now !== seen) {
        await take()
        seen = now
        told(undefined)
      }
      trouble = undefined
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error))
      if (fault.message !== trouble) told(fault)
      trouble = fault.message
    }
  }

  function arm(): void {
    timer = setTimeout(async () => {
      const armed = timer
      await look()
      if (timer === armed) arm()
    }, pollMs)
    timer.unref()
  }

  arm()
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}
