import { MAX_FAULTS, type Problem, type ProblemName, problem } from './api.ts'

/** One thing that is wrong with a request whose shape is right. */
export interface Fault {
  readonly name: ProblemName
  readonly pointer: string
  readonly detail: string
}

export const invalid = (pointer: string, detail: string): Fault => ({ name: 'invalid-request', pointer, detail })

export function problemOf(faults: readonly Fault[]): Problem {
  const [{ name, pointer, detail }] = faults
  const kind = faults.every(fault => fault.name === name) ? name : 'invalid-request'
  const more = faults.length === 1 ? '' : `, and ${faults.length - 1} more`
  return problem(
    kind,
    `${pointer || 'the body'} ${detail}${more}`,
    faults.slice(0, MAX_FAULTS).map(f => ({ pointer: f.pointer, detail: f.detail })),
  )
}
