/** Ids of late, a bounded number of them. */
export interface RecentIds {
  has(id: string): boolean
  /** The oldest makes room. */
  add(id: string): void
  delete(id: string): void
}

export function createRecentIds(most: number): RecentIds {
  /** A Set goes through its members in the order in which they came. */
  const ids = new Set<string>()
  return {
    has: id => ids.has(id),
    add(id) {
      ids.delete(id)
      ids.add(id)
      if (ids.size > most) for (const oldest of ids) return void ids.delete(oldest)
    },
    delete: id => void ids.delete(id),
  }
}
