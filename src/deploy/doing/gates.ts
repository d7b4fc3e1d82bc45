/** Whether a new version may go on, from what it has answered so far. */
import { betaPower, incompleteBeta } from '../../math/special.ts'
import type { RequestMetrics } from '../routes.ts'
import type { Gate } from '../wanted/desired.ts'
import type { GateOutcome, GateReading } from './events.ts'

/** A gate is looked at again and again; over all those looks together it fails a version that keeps to its limit this often at most. */
export const ALPHA = 0.05

/** Of requests slower than the limit: what a 99th percentile leaves. */
const SLOW = 0.01

export function readGate(gate: Gate, metrics: RequestMetrics): GateReading {
  const { requests, least, most } = gate.metric === 'errorRate' ? errors(metrics) : slower(metrics, gate.maxMs)
  const allowed = gate.metric === 'errorRate' ? gate.max : SLOW
  const share = requests === 0 ? null : least / requests
  return { metric: gate.metric, outcome: judge(requests, least, most, allowed), requests, share, allowed }
}

/** One gate that fails fails all of them; all pass only together. */
export function together(readings: readonly GateReading[]): GateOutcome {
  if (readings.some(({ outcome }) => outcome === 'fail')) return 'fail'
  return readings.every(({ outcome }) => outcome === 'pass') ? 'pass' : 'inconclusive'
}

/** Bad requests, of so many: between `least` and `most`. */
interface Counted {
  readonly requests: number
  readonly least: number
  readonly most: number
}

function errors({ requests, errors }: RequestMetrics): Counted {
  const bad = Math.min(errors, requests)
  return { requests, least: bad, most: bad }
}

/** What lies in the bucket that the limit cuts is slow where passing is judged, and is not where failing is. */
function slower({ latency }: RequestMetrics, maxMs: number): Counted {
  let requests = 0
  let least = 0
  let most = 0
  let from = 0
  for (const { upToMs, count } of latency) {
    requests += count
    if (upToMs > maxMs) most += count
    if (from >= maxMs) least += count
    from = upToMs
  }
  return { requests, least, most }
}

function judge(n: number, least: number, most: number, allowed: number): GateOutcome {
  if (n === 0) return 'inconclusive'
  // No number of good ones shows that there is never a bad one.
  if (allowed <= 0) return least > 0 ? 'fail' : 'inconclusive'
  if (allowed >= 1) return 'pass'
  if (evidence(n, least, allowed).above >= 1 / ALPHA) return 'fail'
  return evidence(n, most, allowed).within >= 1 / ALPHA ? 'pass' : 'inconclusive'
}

/**
 * Evidence from s bad ones of n that their probability p is above the allowed q, and that it is within it: likelihood ratios against p = q,
 * mixed over p from Beta(1, b) cut to either side of q,
 *
 *   E = ∫ p^s (1 − p)^(n−s) dBeta(p; 1, b) / (P(p on that side) q^s (1 − q)^(n−s)).
 *
 * While p ≤ q the first is a supermartingale that starts at 1, and while p ≥ q the second: by Ville's inequality either one ever reaches
 * 1/α with probability α at most, however often it is looked at. Robbins, "Statistical methods related to the law of the iterated
 * logarithm", Ann. Math. Statist. 41, 1970 (mixtures); Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
 * confidence sequences", Ann. Statist. 49, 2021. b = 1/q puts the prior's mean at q, where the versions are that are hard to tell.
 */
export function evidence(n: number, s: number, q: number): { readonly above: number; readonly within: number } {
  const b = Math.max(1, 1 / q)
  const [alpha, beta] = [1 + s, b + n - s]
  // B(1 + s, b + n − s) / (B(1, b) q^s (1 − q)^(n−s)), by the two densities at q.
  const density = betaPower(q, 1 - q, 1, b) / betaPower(q, 1 - q, alpha, beta)
  return {
    above: (density * incompleteBeta(1 - q, beta, alpha)) / incompleteBeta(1 - q, b, 1),
    within: (density * incompleteBeta(q, alpha, beta)) / incompleteBeta(q, 1, b),
  }
}
