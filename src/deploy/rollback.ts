import { applyDeployment } from './apply.ts'
import { decodeLabels } from './labels.ts'
import { conflict } from './lock.ts'
import { rollbackOf } from './operate.ts'
import type { DeploymentOutcome } from './outcomes.ts'
import { attempt } from './patience.ts'
import { writeEndpoint } from './perform.ts'
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
  const endpoint = await cloud.getEndpoint(whose.endpoint)
  const versions = await cloud.listVersions(model)
  const rollback = rollbackOf(deployment, model, { endpoint, versions, bundle: false })
  if (rollback.kind === 'redeploy') {
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
        const { labels, ...update } = again.write
        await writeEndpoint(labels, update, step, 'release')
        const { version } = again.to
        const isDefault = step.actual.versions.some(
          each => each.version === version && each.aliases.includes('default'),
        )
        if (!isDefault) await attempt('setDefaultVersion', () => cloud.setDefaultVersion(model, version), step.patience)
        return undefined
      },
    },
    engine,
  )
}

const ROLLED_BACK: Stop = { state: 'rolled-back', reason: null, hint: null }
