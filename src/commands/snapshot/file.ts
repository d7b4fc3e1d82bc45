import { resolve } from 'node:path'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { readSnapshot } from '../../policy/snapshot.ts'
import { describeSnapshot, type SnapshotShowResult } from '../../policy/snapshot-describe.ts'
import { readJson } from '../opening/policies.ts'

/** What the snapshot in a file knows, without its policy; the path is relative to the working folder. */
export async function describedSnapshot(host: Host, file: string): Promise<SnapshotShowResult> {
  const read = readSnapshot(await readJson(host, resolve(host.cwd, file)))
  if ('faults' in read) throw notASnapshot(file, read.faults)
  try {
    return describeSnapshot(read.snapshot)
  } catch (error) {
    if (error instanceof RangeError) throw notASnapshot(file, [error.message])
    throw error
  }
}

function notASnapshot(file: string, faults: readonly string[]): DapError {
  return new DapError(`\`${file}\` is not a snapshot: ${faults.join('; ')}`, {
    hint: '`dap train` writes snapshots, as does `dap serve --learn`',
  })
}
