/** What was answered lately, by id, so that a request that is sent twice is answered once. Bounded in time and in number. */
export interface Remembered<Entry> {
  get(id: string): Entry | undefined
  /** The oldest make room. */
  set(id: string, entry: Entry): void
}

export function createRemembered<Entry>(now: () => number, retentionMs: number, most: number): Remembered<Entry> {
  /** A Map goes through its keys in the order in which they came. */
  const entries = new Map<string, { readonly entry: Entry; readonly until: number }>()
  return {
    get(id) {
      const found = entries.get(id)
      return found !== undefined && found.until > now() ? found.entry : undefined
    },
    set(id, entry) {
      const time = now()
      entries.delete(id)
      entries.set(id, { entry, until: time + retentionMs })
      for (const [oldest, { until }] of entries) {
        if (entries.size <= most && until > time) break
        entries.delete(oldest)
      }
    },
  }
}
