import type { TextContext } from '../command.ts'
import { cleaned } from './cloud.ts'

/** `dap adopt --json`; `schemas/adopt-result.schema.json`. */
export interface AdoptResult {
  readonly schema: 'dap.adoption/v1'
  readonly deployment: string
  readonly endpoint: string
  readonly environment: string
  /** The Deployment's new file, from the repository's root; null: Git has one already. */
  readonly file: string | null
  /** What the file cannot say, a sentence each. */
  readonly lost: readonly string[]
}

export function adoptText(untrusted: AdoptResult, { style }: TextContext): string {
  const { deployment, endpoint, environment, file, lost } = cleaned(untrusted)
  return [
    `${endpoint} is deployment ${style.bold(deployment)} of ${environment} now${file === null ? '' : `; ${file} says what it is`}`,
    ...lost.map(each => `  ${each}`),
    '',
    `next: dap plan --env ${environment} --only ${deployment}`,
  ].join('\n')
}
