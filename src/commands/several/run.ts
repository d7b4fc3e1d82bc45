/** A command over one resource of a kind, or over all that are selected. */
import { DapError, UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { invalid, type Opened, openRepository, requireValid } from '../opening/repository.ts'
import { unchangedSince } from './changed.ts'
import { type Chosen, choose, type RunKind, type Selection } from './selection.ts'

/** What came of one that was selected. */
export type Entry<Done> = Pick<Chosen, 'name' | 'file'> &
  ({ readonly done: Done } | { readonly error: DapError } | { readonly skipped: string })

export interface Ran<Done> {
  /** The absolute folder that files are relative to. */
  readonly folder: string
  /** The name was given: there is one entry, and it is done. */
  readonly named: boolean
  readonly entries: readonly Entry<Done>[]
}

/**
 * Runs one after the other, by name. What cannot be run keeps no other from it; but the error of one alone is that of the command.
 *
 * @param single An option that is of one alone, if it was given.
 */
export async function runSelected<Done>(
  host: Host,
  kind: RunKind,
  { name, selection, single }: { readonly name?: string; readonly selection: Selection; readonly single?: string },
  one: (opened: Opened, name: string) => Promise<Done>,
): Promise<Ran<Done>> {
  const opened = await openRepository(host)
  const folder = opened.root
  if (name !== undefined) {
    const done = await one(opened, name)
    return { folder, named: true, entries: [{ name, file: opened.repository.get(kind, name)!.file, done }] }
  }
  // Of what dap.yaml says depends what is there at all.
  requireValid(opened, [])
  const chosen = choose(opened, kind, selection)
  if (single !== undefined && chosen.length !== 1) {
    const word = kind.toLowerCase()
    throw new UsageError(`${single} is of one ${word}, and there are ${chosen.length}`, { hint: `name the ${word}` })
  }
  const ref = selection.changedSince
  const same =
    ref === undefined
      ? new Set<string>()
      : await unchangedSince(
          host,
          opened,
          ref,
          kind,
          chosen.map(each => each.name),
        )
  const entries: Entry<Done>[] = []
  for (const each of chosen) {
    if (same.has(each.name)) {
      entries.push({ ...each, skipped: `unchanged since ${ref}` })
      continue
    }
    try {
      if (each.broken.length > 0) throw invalid(opened, each.broken)
      entries.push({ ...each, done: await one(opened, each.name) })
    } catch (error) {
      if (!(error instanceof DapError) || host.signal.aborted || chosen.length === 1) throw error
      entries.push({ ...each, error })
    }
  }
  return { folder, named: false, entries }
}
