import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import type { Machine } from '../../host.ts'

/** A program that says nothing for so long is not asked any more. */
const SILENT_MS = 10_000

export function programVersion(name: string): Promise<string | null> {
  return new Promise(done => {
    execFile(name, ['--version'], { timeout: SILENT_MS }, (failure, stdout) =>
      done(failure === null ? (stdout.trim().split('\n', 1)[0] ?? '') : null),
    )
  })
}

export async function machineOf(folder: string): Promise<Machine> {
  const memory = process.availableMemory?.() ?? freemem()
  return { node: process.versions.node, memory, disk: await free(folder), temporary: await free(tmpdir()) }
}

async function free(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
