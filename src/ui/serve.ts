import type { ServeResult } from '../results.ts'

/** The first line on a terminal. */
export function startedText(url: string, policies: number, log: string): string {
  return `dap serve: ${url}  ${plural(policies, 'policy', 'policies')}  log ${log}`
}

/** The last line. */
export function serveText({ decisions, rewards, lost }: ServeResult): string {
  const line = `${plural(decisions, 'decision', 'decisions')}, ${plural(rewards, 'reward', 'rewards')}`
  return [line, ...lost].join('; ')
}

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
