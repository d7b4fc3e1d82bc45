import type { TextContext } from '../command.ts'
import type { AdoptResult } from '../results.ts'
import { cleaned } from './cloud.ts'

export function adoptText(untrusted: AdoptResult, { style }: TextContext): string {
  const { deployment, endpoint, environment, file, lost } = cleaned(untrusted)
  return [
    `${endpoint} is deployment ${style.bold(deployment)} of ${environment} now${file === null ? '' : `; ${file} says what it is`}`,
    ...lost.map(each => `  ${each}`),
    '',
    `next: dap plan --env ${environment} --only ${deployment}`,
  ].join('\n')
}
