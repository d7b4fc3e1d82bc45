import type { TextContext } from '../command.ts'
import type { PlayResult } from '../results.ts'
import { percent, plural, short } from './numbers.ts'
import { range } from './simulation.ts'

/** What came of a round of play. */
export function playText(result: PlayResult, { style }: TextContext): string {
  const { scenario, policy, server, seed, decisions, level, reward, servedBy, actions, latencyMs } = result
  const shares = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${percent(count / decisions)}`)
      .join(', ')
  const unserved = servedBy.none ?? 0
  return [
    `${style.bold(scenario)}: ${plural(decisions, 'decision')} of ${policy} at ${server}, seed ${seed}`,
    `mean reward ${style.bold(short(reward.mean))}, ${percent(level)} interval ${range(reward)}`,
    `actions: ${shares(actions)}`,
    `served by: ${shares(servedBy)}`,
    ...(unserved > 0
      ? [style.yellow(`nothing was served to ${percent(unserved / decisions)}: that earns 0, and has no reward`)]
      : []),
    `latency: p50 ${short(latencyMs.p50)} ms, p99 ${short(latencyMs.p99)} ms`,
  ].join('\n')
}
