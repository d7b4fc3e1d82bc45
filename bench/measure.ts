import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Run {
  readonly seconds: number
  /** Peak resident memory, where the system tells (Linux). */
  readonly megabytes: number
}

/** Runs a Node program once as a whole process; throws when it does not end with one of `codes`. */
export function runNode(
  args: readonly string[],
  { cwd, codes = [0] }: { cwd?: string; codes?: readonly number[] } = {},
): Promise<Run> {
  return new Promise((done, fail) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
    let peak = 0
    const watch = setInterval(() => {
      try {
        peak = Math.max(
          peak,
          Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0),
        )
      } catch {
        clearInterval(watch)
      }
    }, 10)
    child.on('error', fail)
    child.on('exit', code => {
      clearInterval(watch)
      if (code === null || !codes.includes(code)) fail(new Error(`${args.join(' ')} ended with ${code}`))
      else done({ seconds: (performance.now() - start) / 1000, megabytes: peak / 1024 })
    })
  })
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Times each entry in turn, round after round, so that all meet the same machine; the first round warms up. */
export async function inTurn(rounds: number, runs: readonly (() => Promise<Run>)[]): Promise<Run[][]> {
  const results: Run[][] = runs.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (const [i, run] of runs.entries()) {
      const result = await run()
      if (round > 0) results[i].push(result)
    }
  }
  return results
}

export function verdict(ok: boolean): string {
  return ok ? 'within' : 'OVER'
}
