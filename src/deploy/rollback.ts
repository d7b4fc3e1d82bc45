import { applyDeployment } from './apply.ts'
import { holdVersions } from './holds.ts'
import { decodeLabels, identityOf } from './labels.ts'
import { conflict } from './lock.ts'
import { rollbackOf } from './operate.ts'
import type { DeploymentOutcome } from './outcomes.ts'
import { recalled } from './ownership.ts'
import { attempt } from './patience.ts'
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
  const live = await attempt('getEndpoint', () => cloud.getEndpoint(whose.endpoint), engine)
  const versions = await attempt('listVersions', () => cloud.listVersions(model), engine)
  const endpoint = live && recalled(live, versions, identityOf(whose, engine.target))
  const rollback = rollbackOf(deployment, model, { endpoint, versions, bundle: false })
  if (rollback.kind === 'redeploy') {
    if (rollback.hold !== undefined) await holdVersions({ cloud, model }, rollback.hold, true, engine)
    const bundleText = () => Promise.reject(new Error('a version that is there needs no bundle'))
    const options = { acceptDrift: true, releaseHold: true, step: false, skipGates: true, resume: true }
    const outcome = await applyDeployment({ ...rollback, bundleText }, engine, options)
    return outcome.state === 'applied' ? { ...outcome, ...ROLLED_BACK } : outcome
  }
  const { to, write } = rollback
  return carryOut(
    {
      ...whose,
      swift: true,
      left(actual) {
        const live = actual.endpoint
        const done =
          live &&
          sameTraffic(live.traffic, write.traffic!) &&
          write.labels.hold === decodeLabels(live.labels).ours?.hold
        if (done) return ROLLED_BACK
        const again = rollbackOf(deployment, model, actual)
        if (again.kind === 'flip' && again.to.id === to.id) return [again.change]
        throw conflict(`somebody else is changing \`${deployment}\``, '`dap status` shows what runs')
      },
      async perform(_, step) {
        const again = rollbackOf(deployment, model, step.actual)
        if (again.kind !== 'flip') throw new Error('the way back has changed since it was looked at')
        await flipBack(again.write, model, step, engine, 'release')
        return undefined
      },
    },
    engine,
  )
}

const ROLLED_BACK: Stop = { state: 'rolled-back', reason: null, hint: null }
