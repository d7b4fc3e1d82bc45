import type { DeploymentOutcome } from '../results.ts'
import { applyDeployment } from './apply.ts'
import type { Endpoint, ModelVersion } from './cloud.ts'
import { conflict } from './conflict.ts'
import { holdVersions, isOnHold } from './holds.ts'
import { decodeLabels, identityOf } from './labels.ts'
import { defaultVersion, toRemember } from './memory.ts'
import { rollbackOf } from './operate.ts'
import { recalled } from './ownership.ts'
import { flipBack } from './perform.ts'
import type { Whose } from './remove.ts'
import { sameTraffic } from './roles.ts'
import { carryOut, type Engine, type Stop } from './run.ts'

/**
 * Back to what served before, without gates. While that is still deployed it is one write, which nothing that runs can delay; else it is
 * deployed again. What was left is on hold. A DapError where there is nothing to go back to.
 */
export async function rollbackDeployment(whose: Whose, engine: Engine): Promise<DeploymentOutcome> {
  const { cloud } = engine
  const { deployment, model } = whose
  const live = await cloud.getEndpoint(whose.endpoint)
  const versions = await cloud.listVersions(model)
  const endpoint = live && recalled(live, versions, identityOf(whose, engine.target))
  const rollback = rollbackOf(deployment, model, { endpoint, versions, bundle: false })
  if (rollback.kind === 'redeploy') {
    if (rollback.hold !== undefined) await holdVersions({ cloud, model, endpoint }, rollback.hold, true, engine)
    const bundleText = () => Promise.reject(new Error('a version that is there needs no bundle'))
    const options = { acceptDrift: true, releaseHold: true, step: false, skipGates: true, resume: true }
    const outcome = await applyDeployment({ ...rollback, bundleText }, engine, options)
    return outcome.state === 'applied' ? { ...outcome, ...ROLLED_BACK } : outcome
  }
  const { to, write, change } = rollback
  /** What is remembered may be ahead of the traffic, where somebody took the labels away in between. */
  const isBack = ({ labels }: Endpoint) => {
    const { ours } = decodeLabels(labels)
    return ours?.stable === to.id && ours.hold === write.labels.hold
  }
  /** All that goes with it as well: the one write may have been done without an answer. */
  const isDone = (live: Endpoint, versions: readonly ModelVersion[]) => {
    const byDefault = defaultVersion(versions, model)
    const { ours } = decodeLabels(live.labels)
    return (
      sameTraffic(live.traffic, write.traffic!) &&
      (to.model !== model || byDefault?.version === to.version) &&
      isOnHold(write.labels.hold, versions, live) &&
      (byDefault === undefined || toRemember(byDefault, live, ours!, undefined) === undefined)
    )
  }
  return carryOut(
    {
      ...whose,
      swift: true,
      left(actual) {
        const live = actual.endpoint
        if (live && isBack(live)) return isDone(live, actual.versions) ? ROLLED_BACK : [change]
        const again = rollbackOf(deployment, model, actual)
        if (again.kind === 'flip' && again.to.id === to.id) return [again.change]
        throw conflict(`somebody else is changing \`${deployment}\``, '`dap status` shows what runs')
      },
      async perform(_, step) {
        const live = step.lock.endpoint!
        const again = isBack(live) ? undefined : rollbackOf(deployment, model, step.actual)
        if (again?.kind === 'redeploy') throw new Error('the way back has changed since it was looked at')
        const flip = again?.write ?? { labels: step.lock.labels, traffic: write.traffic }
        await flipBack(flip, model, step, 'release')
        return undefined
      },
    },
    engine,
  )
}

const ROLLED_BACK: Stop = { state: 'rolled-back', reason: null, hint: null }
