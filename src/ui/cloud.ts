/** Words and tables that plans, deploys and statuses share. */

import type { TextContext } from '../command.ts'
import type { Drift, Orphan } from '../deploy/wanted/plan.ts'
import { printable } from '../diagnostics.ts'
import { orphanKey } from '../titles.ts'
import { table } from './table.ts'

/** The value with every text in it on one line and without what a terminal would act on: labels and files are written by anybody. */
export function cleaned<T>(value: T): T {
  if (typeof value === 'string') return printable(value.replace(/\s+/g, ' ')) as T
  if (Array.isArray(value)) return value.map(cleaned) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleaned(key), cleaned(inner)])) as T
}

/** `2026-12-02T12:00:00.000Z` as `2026-12-02 12:00 UTC`. */
export const timeText = (time: string) => time.replace(/^(.{10})T(.{5}).*Z$/, '$1 $2 UTC')

/** Of a commit: as much as a reader needs to find it. */
export const shortCommit = (id: string) => id.slice(0, 12)

/** Who wants what: three columns. */
export function driftTable(drift: readonly Drift[], context: TextContext): string {
  return table(
    [
      { title: 'drift' },
      { title: 'Git', prose: true },
      { title: 'last applied', prose: true },
      { title: 'live', prose: true },
    ],
    drift.map(({ field, git, applied, live }) => [
      field,
      git ?? 'none',
      applied ?? 'none',
      context.style.yellow(live ?? 'none'),
    ]),
    context,
  )
}

/** `endpoint dap-old-offer-aa11bb22 (old-offer)`; `(staging/offer)` where it is of another environment. */
export const orphanName = (orphan: Orphan, environment: string) =>
  `${orphan.kind} ${orphan.id} (${orphanKey(orphan, environment)})`

export const indented = (text: string, by = '  ') => text.replace(/^(?=.)/gm, by)

/** `2 applied, 1 paused`: how many of each, in the order given. */
export const tally = <T extends string>(states: readonly T[], words: Readonly<Record<T, string>>) =>
  (Object.keys(words) as T[])
    .map(state => [states.filter(each => each === state).length, words[state]] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')
