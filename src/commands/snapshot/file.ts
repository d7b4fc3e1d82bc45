import { resolve } from 'node:path'
import { DapError } from '../../errors.ts'
import { TRAINING_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { readSnapshot, type Snapshot, snapshotDigest } from '../../policy/snapshot.ts'
import { describeSnapshot, type SnapshotShowResult } from '../../policy/snapshot-describe.ts'
import type { TrainingResult } from '../../results.ts'
import { readJson } from '../opening/policies.ts'

/** What the snapshot in a file knows, without its policy; the path is relative to the working folder. */
export async function describedSnapshot(host: Host, file: string, training?: string): Promise<SnapshotShowResult> {
  const read = readSnapshot(await readJson(host, resolve(host.cwd, file)))
  if ('faults' in read) throw notASnapshot(file, read.faults)
  const names = training === undefined ? undefined : await namesOf(host, training, read.snapshot)
  try {
    return describeSnapshot(read.snapshot, names)
  } catch (error) {
    if (error instanceof RangeError) throw notASnapshot(file, [error.message])
    throw error
  }
}

/** What slots are called, by the result of the training that wrote the snapshot. */
async function namesOf(host: Host, file: string, snapshot: Snapshot): Promise<ReadonlyMap<number, string>> {
  const result = (await readJson(host, resolve(host.cwd, file))) as Partial<TrainingResult> | null
  const digest = snapshotDigest(snapshot)
  if (result?.schema !== TRAINING_RESULT_SCHEMA || result.snapshot?.digest !== digest) {
    throw new DapError(`\`${file}\` is not the result of the training that wrote this snapshot`, {
      hint: `--names takes what \`dap train --json\` printed when it wrote ${digest}`,
    })
  }
  return new Map(result.hashing?.strongest.map(({ slot, name }) => [slot, name]))
}

function notASnapshot(file: string, faults: readonly string[]): DapError {
  return new DapError(`\`${file}\` is not a snapshot: ${faults.join('; ')}`, {
    hint: '`dap train` writes snapshots, as does `dap serve --learn`',
  })
}
