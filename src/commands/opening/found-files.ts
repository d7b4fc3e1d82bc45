import { relative } from 'node:path'
import { DapError } from '../../errors.ts'
import type { FoundFile, Host, Unread } from '../../host.ts'

/**
 * Whatever a walk found, each file once, by the first of its paths: one that no link leads to, where there is such a path. Sorted by
 * path.
 */
export function filesOnce(found: readonly FoundFile[]): FoundFile[] {
  const files = new Map<string, FoundFile>()
  for (const file of found) if (!files.has(file.real)) files.set(file.real, file)
  return [...files.values()].sort((a, b) => byCodeUnit(a.path, b.path))
}

export const byCodeUnit = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Could what was not read be a wanted file, or a folder that may have one? What a broken link has led to can be told from its name alone.
 */
export function mayHold(
  { path, folder }: Unread,
  wanted: (path: string) => boolean,
  reaches: (folder: string) => boolean = () => true,
): boolean {
  if (folder !== true && wanted(path)) return true
  return (folder ?? !/\.[a-z][a-z0-9]+$/i.test(path)) && reaches(path)
}

/** What to do about it. */
export function unreadHint({ why }: Unread): string {
  return {
    broken: 'mend the link, or remove it',
    outside:
      'links are followed inside the repository and below the `dataRoots` of dap.yaml that DAP_DATA_ROOTS confirms',
    unlisted: 'give dap a folder that it may list',
  }[why]
}

/**
 * The wanted files below a folder, each once, sorted; a DapError where something may hold one and cannot be read. `reaches`: may a wanted
 * file lie below this folder? Default: yes.
 */
export async function filesBelow(
  host: Host,
  folder: string,
  within: readonly string[],
  wanted: (path: string) => boolean,
  reaches?: (folder: string) => boolean,
): Promise<FoundFile[]> {
  const { files, unread } = await host.files.walk(folder, within)
  const missed = unread.find(each => mayHold(each, wanted, reaches))
  if (missed !== undefined) {
    throw new DapError(`\`${relative(host.cwd, missed.path)}\` cannot be read: ${missed.reason}`, {
      hint: unreadHint(missed),
    })
  }
  return filesOnce(files.filter(({ path }) => wanted(path)))
}
