import { join } from 'node:path'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { CurrentInput } from '../../results.ts'
import { inputTitle } from '../../titles.ts'
import { inputsOf } from '../evidence/inputs.ts'
import { type Opened, openRepository, PROJECT_FILE } from '../opening/repository.ts'
import type { RunKind } from './selection.ts'

/**
 * Of some resources those whose results depend on the same as at a commit: what stands in their files and in those that they name, and in
 * data, byte for byte. What cannot be read, now or then, counts as changed, as does what Git does not have.
 */
export async function unchangedSince(
  host: Host,
  opened: Opened,
  ref: string,
  kind: RunKind,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const past = await host.filesAt(opened.root, ref)
  try {
    const then = { ...host, files: past.files }
    if (!(await past.files.exists(join(opened.root, PROJECT_FILE)))) return new Set()
    const before = await openRepository(then, opened.root)
    const same = new Set<string>()
    for (const name of names) {
      const was = await digests(then, before, kind, name)
      if (was !== undefined && was === (await digests(host, opened, kind, name))) same.add(name)
    }
    return same
  } finally {
    await past.close()
  }
}

/** What a result would be made from, as a text; undefined where some of it is missing. */
async function digests(host: Host, opened: Opened, kind: RunKind, name: string): Promise<string | undefined> {
  let inputs: readonly CurrentInput[]
  try {
    inputs = await inputsOf(host, opened, kind, name)
  } catch (error) {
    if (error instanceof DapError) return undefined
    throw error
  }
  if (inputs.some(({ digest }) => digest === null)) return undefined
  return JSON.stringify(inputs.map(input => [inputTitle(input), input.digest]))
}
