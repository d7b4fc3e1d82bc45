import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Commit } from '../deploy/plan.ts'

const run = promisify(execFile)

/** The commit that a folder is at, and whether files below it differ; null outside a repository, before its first commit, or without git. */
export async function gitCommit(folder: string): Promise<Commit | null> {
  try {
    const git = async (...words: readonly string[]) =>
      (await run('git', ['-C', folder, ...words], { maxBuffer: 1 << 26 })).stdout.trim()
    const [id, status] = await Promise.all([
      git('rev-parse', '--verify', 'HEAD'),
      git('status', '--porcelain', '--', '.'),
    ])
    return { id, dirty: status !== '' }
  } catch {
    return null
  }
}
