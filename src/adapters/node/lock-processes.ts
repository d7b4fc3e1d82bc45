import { createHash } from 'node:crypto'
import type { Processes } from '../../deploy/runs.ts'
import { isAlive, thisProcess } from './processes.ts'

/** Processes as the label of a lock has room for them: it names a machine by a digest. */
export function lockProcesses(): Processes {
  const { host, pid, started } = thisProcess()
  const here = createHash('sha256').update(host).digest('hex').slice(0, 16)
  return {
    process: { host: here, pid, started: started?.toLowerCase() ?? null },
    stateOf(process) {
      if (process.host !== here) return 'elsewhere'
      const alive = isAlive({ host, pid: process.pid, started: process.started ?? undefined })
      return alive === 'unknown' ? alive : alive ? 'running' : 'gone'
    },
  }
}
