/** What runs of dap know of each other. */
import type { LockProcess } from './memory.ts'

/** A run as its locks name it, and what it makes of other runs' locks. */
export interface Run extends Processes {
  readonly id: string
  readonly owner: string
  /** Does it take over the locks of processes that are gone? */
  readonly resumes: boolean
}

export interface Processes {
  readonly process: LockProcess
  stateOf(process: LockProcess): ProcessState
}

/** What this machine knows of a process; `unknown`: one has its number, and nobody says whether it is that one. */
export type ProcessState = 'running' | 'gone' | 'elsewhere' | 'unknown'
