import type { DeploymentOutcome } from '../../results.ts'
import { applyDeployment } from '../doing/apply.ts'
import { conflict } from '../doing/conflict.ts'
import { holdReleases } from '../doing/hold-releases.ts'
import { flipBack } from '../doing/perform.ts'
import { carryOut, type Engine, type Stop } from '../doing/run.ts'
import { identityOf } from '../memory.ts'
import type { Release, Route } from '../routes.ts'
import { currentRelease, toRemember } from '../wanted/copies.ts'
import { isOnHold } from '../wanted/holds.ts'
import { recalled } from '../wanted/ownership.ts'
import { sameTraffic } from '../wanted/roles.ts'
import { rollbackOf } from './operate.ts'
import type { Whose } from './remove.ts'

/**
 * Back to what served before, without gates. While that is still deployed it is one write, which nothing that runs can delay; else it is
 * deployed again. What was left is on hold. A DapError where there is nothing to go back to.
 */
export async function rollbackDeployment(whose: Whose, engine: Engine): Promise<DeploymentOutcome> {
  const { cloud } = engine
  const { deployment, shelf } = whose
  const live = await cloud.getRoute(whose.endpoint)
  const releases = await cloud.releasesOf(shelf)
  const endpoint = live && recalled(live, releases, identityOf(whose, engine.target))
  const rollback = rollbackOf(deployment, shelf, { endpoint, releases, bundle: false })
  if (rollback.kind === 'redeploy') {
    if (rollback.hold !== undefined) await holdReleases({ cloud, shelf, endpoint }, rollback.hold, true, engine)
    const bundleText = () => Promise.reject(new Error('a version that is there needs no bundle'))
    const options = { acceptDrift: true, releaseHold: true, step: false, skipGates: true, resume: true }
    const outcome = await applyDeployment({ ...rollback, bundleText }, engine, options)
    return outcome.state === 'applied' ? { ...outcome, ...ROLLED_BACK } : outcome
  }
  const { to, write, change } = rollback
  /** What is remembered may be ahead of the traffic, where somebody took it away in between. */
  const isBack = ({ memory }: Route) => memory?.stable === to.id && memory.hold === write.memory.hold
  /** All that goes with it as well: the one write may have been done without an answer. */
  const isDone = (live: Route, releases: readonly Release[]) => {
    const current = currentRelease(releases, shelf)
    return (
      sameTraffic(live.traffic, write.traffic!) &&
      (to.shelf !== shelf || current?.id === to.release) &&
      isOnHold(write.memory.hold, releases, live) &&
      (current === undefined || toRemember(current, live, live.memory!, undefined) === undefined)
    )
  }
  return carryOut(
    {
      ...whose,
      swift: true,
      left(actual) {
        const live = actual.endpoint
        if (live && isBack(live)) return isDone(live, actual.releases) ? ROLLED_BACK : [change]
        const again = rollbackOf(deployment, shelf, actual)
        if (again.kind === 'flip' && again.to.id === to.id) return [again.change]
        throw conflict(`somebody else is changing \`${deployment}\``, '`dap status` shows what runs')
      },
      async perform(_, step) {
        const live = step.lock.endpoint!
        const again = isBack(live) ? undefined : rollbackOf(deployment, shelf, step.actual)
        if (again?.kind === 'redeploy') throw new Error('the way back has changed since it was looked at')
        const flip = again?.write ?? { memory: step.lock.memory, traffic: write.traffic }
        await flipBack(flip, shelf, step, 'release')
        return undefined
      },
    },
    engine,
  )
}

const ROLLED_BACK: Stop = { state: 'rolled-back', reason: null, hint: null }
