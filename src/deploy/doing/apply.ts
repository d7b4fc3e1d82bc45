import type { Drift } from '../../generated/types.ts'
import type { DeploymentOutcome } from '../../results.ts'
import type { Change } from '../change.ts'
import type { ActualDeployment } from '../wanted/actual.ts'
import type { Desired } from '../wanted/desired.ts'
import { diffDeployment } from '../wanted/diff.ts'
import { refuseOthers } from './approval.ts'
import { conflict } from './conflict.ts'
import { holdReleases } from './hold-releases.ts'
import { flipBack, type Material, perform } from './perform.ts'
import { holdStep, pausedStop } from './rollout.ts'
import { carryOut, type Engine, type Step, type Stop } from './run.ts'
import { rollbackWrite } from './writes.ts'

export interface Order extends Material {
  /** Of a plan that somebody has approved: nothing else is done. */
  readonly approved?: readonly Change[]
}

export interface ApplyOptions {
  readonly acceptDrift: boolean
  /** Bring back what was rolled back. */
  readonly releaseHold: boolean
  /** One step of the rollout, or one look at its gates, and no waiting. */
  readonly step: boolean
  readonly skipGates: boolean
  /** Go on with a rollout that is paused. */
  readonly resume: boolean
}

/** Until what runs is what Git says, a gate fails, somebody else is at it, or the cloud refuses. */
export function applyDeployment(order: Order, engine: Engine, options: ApplyOptions): Promise<DeploymentOutcome> {
  const { desired, approved } = order
  let looked = false
  /** What it comes to: while what Git says is held, its settings for what serves. */
  let wanted = desired
  const names: Record<string, string> = {}
  /** Why a gate failed: from then on the way is back. */
  let failed: string | undefined

  return carryOut(
    {
      deployment: desired.deployment,
      endpoint: desired.endpoint.id,
      shelf: desired.model.id,
      bundle: desired.bundle.object,
      names,
      left,
      perform: (change, step) => (failed === undefined ? goOn(change, step) : goBack(change, step)),
    },
    engine,
  )

  function left(actual: ActualDeployment): readonly Change[] | Stop {
    if (failed !== undefined) return wayBack(wanted, actual, failed)
    const context = { now: engine.clock.now(), releaseHold: options.releaseHold, target: engine.target }
    const difference = diffDeployment(desired, actual, context)
    const { changes, blocked, held } = difference
    const drift = difference.drift.filter(({ overwrites }) => overwrites)
    wanted = difference.desired
    names[wanted.deployed.id] = wanted.deployed.displayName
    if (blocked.length > 0) return { state: 'failed', ...blocked[0] }
    if (!looked && changes.length > 0 && drift.length > 0 && !options.acceptDrift) throw drifted(desired, drift)
    looked = true
    if (approved !== undefined) refuseOthers(desired.deployment, changes, approved)
    return held && changes.length === 0 ? HELD : changes
  }

  async function goOn(change: Change, step: Step): Promise<Stop | undefined> {
    if (change.kind === 'hold') {
      const held = await holdStep(change, wanted, step, engine, options)
      if (held.outcome === 'waiting') return ROLLING
      if (held.outcome === 'paused') return pausedStop(held.reason)
      if (held.outcome === 'failed') {
        failed = held.reason
        return undefined
      }
    }
    await perform(change, { ...order, desired: wanted }, step, engine)
    const rolls = step.after.some(({ kind }) => kind === 'hold' || kind === 'shift-traffic')
    return options.step && change.kind === 'shift-traffic' && change.step !== undefined && rolls ? ROLLING : undefined
  }

  async function goBack(change: Change, step: Step): Promise<undefined> {
    if (change.kind !== 'shift-traffic') {
      // The write before may have been done without an answer, and then nothing else was.
      const { endpoint } = step.lock
      const hold = endpoint?.memory?.hold
      if (hold !== undefined) {
        await holdReleases({ cloud: step.cloud, shelf: wanted.model.id, endpoint }, hold, true, step.patience)
      }
      await perform(change, { ...order, desired: wanted }, step, engine)
    } else await flipBack(rollbackWrite(step.lock.endpoint!, step.actual.releases)!, wanted.model.id, step)
    return undefined
  }
}

const ROLLING: Stop = { state: 'rolling', reason: null, hint: null }

const HELD: Stop = {
  state: 'held',
  reason: 'what Git says was rolled back',
  hint: null,
}

/** All traffic to the stable version in one write, which puts the candidate on hold; then the candidate goes. */
function wayBack(desired: Desired, { endpoint, releases }: ActualDeployment, reason: string): readonly Change[] | Stop {
  const { id } = desired.deployed
  const changes: Change[] = []
  if (endpoint && endpoint.traffic[id] > 0) {
    const to = rollbackWrite(endpoint, releases)?.traffic
    if (to === undefined) return pausedStop(`${reason}; there is nothing to go back to`)
    changes.push({ kind: 'shift-traffic', from: endpoint.traffic, to, reason, fields: [] })
  }
  if (endpoint?.workloads.some(model => model.id === id)) {
    changes.push({ kind: 'undeploy-model', deployedModel: id, reason, fields: [] })
  }
  return changes.length > 0 ? changes : { state: 'rolled-back', reason, hint: null }
}

function drifted({ deployment }: Desired, drift: readonly Drift[]): Error {
  const fields = [...new Set(drift.map(({ field }) => field))].join(', ')
  return conflict(
    `somebody changed ${fields} of \`${deployment}\` since it was deployed`,
    '`dap plan` shows what they did; `dap deploy --accept-drift` overwrites it',
  )
}
