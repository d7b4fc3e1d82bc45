import type { ServeResult } from '../results.ts'
import { plural } from './numbers.ts'

/** The first line on a terminal. */
export function startedText(url: string, policies: number, log: string): string {
  return `dap serve: ${url}  ${plural(policies, 'policy')}  log ${log}`
}

/** The last line. */
export function serveText({ decisions, rewards, lost }: ServeResult): string {
  const line = `${plural(decisions, 'decision')}, ${plural(rewards, 'reward')}`
  return [line, ...lost].join('; ')
}
