import type { PolicySpec } from '../../src/kinds.ts'
import type { DecisionRecord, RewardRecord } from '../../src/log/records/records.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import type { PolicySource, ServedPolicy } from '../../src/serve/deciding/policies.ts'
import { createEngine, type Engine } from '../../src/serve/engine.ts'
import type { EngineLimits, EngineParts } from '../../src/serve/engine-parts.ts'
import { createLedger, type LedgerLimits } from '../../src/serve/ids/ledger.ts'
import type { LogWriter, LogWriterStats } from '../../src/serve/log/log-writer.ts'
import { policySpec } from '../policy/support.ts'

export const NOW = Date.UTC(2026, 10, 22, 18, 0, 0)

/** An engine whose clock, log and policies the test holds in its hands. */
export interface Bench {
  readonly engine: AtOnce
  readonly decisions: DecisionRecord[]
  readonly rewards: RewardRecord[]
  /** What the observer was told, a line each. */
  readonly seen: string[]
  readonly killed: Set<string>
  readonly policies: Map<string, ServedPolicy>
  /** Milliseconds since the start; the test moves it. */
  time: number
  admission: number
}

/** Where one process has the ledger, everything is answered at once. */
export type AtOnce = {
  readonly [Method in keyof Engine]: (
    ...args: Parameters<Engine[Method]>
  ) => Exclude<ReturnType<Engine[Method]>, Promise<unknown>>
}

export function served(changes: Partial<PolicySpec> = {}, name = 'shop-offer'): ServedPolicy {
  return { policy: createPolicy(name, policySpec(changes), 'sha256:test'), snapshot: null }
}

export function bench(
  policies: readonly ServedPolicy[] = [served()],
  {
    limits = {},
    learner,
    ...parts
  }: { limits?: Partial<EngineLimits & LedgerLimits> } & Partial<Omit<EngineParts, 'limits'>> = {},
): Bench {
  const self: Bench = {
    decisions: [],
    rewards: [],
    seen: [],
    killed: new Set(),
    policies: new Map(policies.map(each => [each.policy.name, each])),
    time: 0,
    admission: 1,
    get engine() {
      return engine
    },
  }
  const source: PolicySource = { policies: self.policies, killed: name => self.killed.has(name) }
  const log: LogWriter = {
    get admission() {
      return self.admission
    },
    push: (stream, record) => void self[stream].push(JSON.parse(record)),
    trouble: undefined,
    stats: logStats(),
    tried: Promise.resolve(),
    settled: async () => {},
    flush: async () => {},
    close: async () => {},
  }
  const say =
    (what: string) =>
    (...args: readonly unknown[]) =>
      void self.seen.push([what, ...args].join(' '))
  let ids = 0
  const engine = createEngine({
    source,
    log,
    clock: { now: () => NOW + self.time, monotonic: () => self.time },
    observer: {
      decided: (policy, by, action) => say('decided')(policy, by, action),
      agreed: say('agreed'),
      shed: say('shed'),
      repeated: say('repeated'),
      rewarded: say('rewarded'),
      unmatched: say('unmatched'),
      refused: say('refused'),
      asked: (model, rows, _ms, failure) => say('asked')(model, rows, failure ?? 'answered'),
    },
    ...(learner === undefined ? {} : { learner }),
    newId: () => `id-${ids++}`,
    runtime: 'dap/test',
    ledger: createLedger(() => self.time, { retentionMs: 600_000, retained: 1000, ...limits }),
    ack: 'queued',
    limits: { timeoutMs: 1000, ...limits },
    ...parts,
  }) as AtOnce
  return self
}

export const logStats = (changes: Partial<LogWriterStats> = {}): LogWriterStats => ({
  ...{ queuedBytes: 0, queuedRecords: 0, oldestMs: 0, commits: 0, failures: 0, lost: 0 },
  ...{ written: { decisions: 0, rewards: 0 }, bytes: { decisions: 0, rewards: 0 } },
  committedAt: { decisions: undefined, rewards: undefined },
  ...changes,
})

export const policyOf = ({ policies }: Bench): Policy => (policies.values().next().value as ServedPolicy).policy
