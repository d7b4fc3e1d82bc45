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

  return poll(pollMs, look)
}

/** Looks every `ms`, never twice at once, and hands on what it finds. Returns what ends it, also for a look that is under way. */
export function poll<Found>(
  ms: number,
  look: () => Promise<Found>,
  found: (what: Found) => void = () => {},
): () => void {
  let timer: NodeJS.Timeout | undefined

  function arm(): void {
    timer = setTimeout(async () => {
      const armed = timer
      const what = await look()
      if (timer !== armed) return
      found(what)
      arm()
    }, ms)
    timer.unref()
  }

  arm()
  return () => {
    clearTimeout(timer)
    timer = undefined
  }
}
