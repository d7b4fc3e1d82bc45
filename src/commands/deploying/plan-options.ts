import type { Command } from 'commander'
import { UsageError } from '../../errors.ts'
import { declareEnvironment, environmentName } from './environment.ts'

/** What `plan` and `deploy` may be told of what to plan. */
export interface PlanOptions {
  readonly environment: string
  /** Deployments by name; absent: all of the environment. */
  readonly only?: readonly string[]
  readonly acceptDrift: boolean
  readonly prune: boolean
  readonly releaseHold: boolean
  /** Deployments whose protection is set aside, by name. */
  readonly overrideProtection: readonly string[]
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function declarePlan(command: Command): Command {
  return declareEnvironment(command)
    .option('--only <deployment>', 'this Deployment alone; may be said several times', collect)
    .option('--accept-drift', 'set right what somebody has moved in the cloud')
    .option(
      '--prune',
      'also delete what no Deployment declares any more; what still has traffic only with --override-protection',
    )
    .option('--release-hold', 'bring back what was rolled back')
    .option(
      '--override-protection <deployment>',
      'do to this one what the Environment, or its traffic, protects it from; may be said several times',
      collect,
    )
}

export function planOptions(flags: Readonly<Record<string, unknown>>): PlanOptions {
  const only = flags['only'] as readonly string[] | undefined
  if (only !== undefined && flags['prune'] === true) {
    throw new UsageError('--prune deletes what no Deployment declares, and --only looks at declared ones alone', {
      hint: '`dap destroy NAME` deletes one deployment',
    })
  }
  return {
    environment: environmentName(flags),
    ...(only === undefined ? {} : { only }),
    acceptDrift: flags['acceptDrift'] === true,
    prune: flags['prune'] === true,
    releaseHold: flags['releaseHold'] === true,
    overrideProtection: (flags['overrideProtection'] as readonly string[] | undefined) ?? [],
  }
}
