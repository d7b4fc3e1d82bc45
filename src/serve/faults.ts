import type { Problem, ProblemName } from './api.ts'
import { problemAt } from './problems.ts'

/** One thing that is wrong with a request whose shape is right. */
export interface Fault {
  readonly name: ProblemName
  readonly pointer: string
  readonly detail: string
}

export const invalid = (pointer: string, detail: string): Fault => ({ name: 'invalid-request', pointer, detail })

/** Faults of one kind make a problem of that kind. */
export function problemOf(faults: readonly Fault[]): Problem {
  const kind = faults.every(({ name }) => name === faults[0].name) ? faults[0].name : 'invalid-request'
  return problemAt(
    kind,
    faults.map(({ pointer, detail }) => ({ pointer, detail })),
  )
}
