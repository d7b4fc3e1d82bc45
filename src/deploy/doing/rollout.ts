import type { Change } from '../change.ts'
import type { Desired } from '../wanted/desired.ts'
import type { GateReading } from './events.ts'
import { readGate, together } from './gates.ts'
import type { Engine, Step, Stop } from './run.ts'
import { begunRollout, pauseWrite } from './writes.ts'

/** Between two looks, in ms: a twentieth of the hold, within these. */
const SHORTEST_LOOK = 5_000
const LONGEST_LOOK = 60_000

export interface HoldOptions {
  /** One look, and no waiting. */
  readonly step: boolean
  readonly skipGates: boolean
  /** Go on with a rollout that is paused. */
  readonly resume: boolean
}

/** What a hold came to; `waiting` with `step` alone. */
export type HoldOutcome =
  | { readonly outcome: 'passed' | 'waiting' }
  | { readonly outcome: 'failed' | 'paused'; readonly reason: string }

/**
 * Waits at a step of a rollout while its gates are watched. The time counts from what was written down with the traffic, so a run that
 * takes over from a killed one does not start again.
 */
export async function holdStep(
  { step, holdMs }: Extract<Change, { kind: 'hold' }>,
  desired: Desired,
  { cloud, lock, report }: Step,
  { clock, signal }: Engine,
  options: HoldOptions,
): Promise<HoldOutcome> {
  // Where nobody remembers since when, it is from now on.
  if (lock.memory.step?.index !== step) {
    const since = Math.round(clock.now() / 1000)
    const { memory } = lock
    const begun = memory.candidate === undefined ? begunRollout(desired, lock.endpoint!) : {}
    await lock.write({ ...memory, ...begun, step: { index: step, since, state: 'holding' } })
  }
  const { since, state } = lock.memory.step!
  const pauseHere = async (reason: string): Promise<HoldOutcome> => {
    if (state !== 'paused') await lock.write(pauseWrite(lock.memory).memory)
    return { outcome: 'paused', reason }
  }
  if (state === 'paused' && !options.resume && !options.skipGates) {
    return { outcome: 'paused', reason: `step ${step + 1} is paused` }
  }
  const gates = options.skipGates ? [] : desired.rollout.gates
  const pause = Math.min(LONGEST_LOOK, Math.max(SHORTEST_LOOK, holdMs / 20))
  for (;;) {
    const now = clock.now()
    const leftMs = Math.max(0, since * 1000 + holdMs - now)
    const readings = await readAll(now)
    report({ event: 'gates', step, leftMs, gates: readings })
    const outcome = together(readings)
    if (outcome === 'fail') {
      const reason = told(readings.filter(each => each.outcome === 'fail'))
      return desired.rollout.onFailure === 'pause' ? pauseHere(reason) : { outcome: 'failed', reason }
    }
    if (leftMs === 0 && outcome === 'pass') return { outcome: 'passed' }
    if (leftMs === 0) return pauseHere(told(readings.filter(each => each.outcome !== 'pass')))
    if (options.step) return { outcome: 'waiting' }
    await clock.sleep(Math.min(pause, leftMs), signal)
    await lock.read()
    await lock.renew()
  }

  async function readAll(now: number): Promise<GateReading[]> {
    if (gates.length === 0) return []
    const metrics = await cloud.measure(desired.endpoint.id, desired.deployed.id, since * 1000, now)
    return gates.map(gate => readGate(gate, metrics))
  }
}

/** `errorRate is 3.1 % of 640 requests, 1 % is allowed` */
function told(readings: readonly GateReading[]): string {
  const one = ({ metric, outcome, requests, share, allowed }: GateReading) => {
    if (share === null) return `${metric} cannot be told: there were no requests`
    const seen = `${percent(share)} of ${requests} requests, ${percent(allowed)} is allowed`
    return outcome === 'fail' ? `${metric} is ${seen}` : `${metric} cannot be told yet: ${seen}`
  }
  return readings.map(one).join('; ')
}

const percent = (share: number) => `${Number((share * 100).toPrecision(3))} %`

/** A rollout that waits for somebody. */
export function pausedStop(reason: string): Stop {
  return { state: 'paused', reason, hint: null }
}
