import { defineCommand } from '../command.ts'
import type { Engine } from '../deploy/doing/run.ts'
import { applyAll } from '../deploy/operating/apply-all.ts'
import { comparePlans, planHasExpired } from '../deploy/wanted/compare-plans.ts'
import { servingOrphans } from '../deploy/wanted/orphans.ts'
import type { Plan } from '../deploy/wanted/plan.ts'
import { blockOf } from '../deploy/wanted/rules.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import type { Host } from '../host.ts'
import type { DeployResult } from '../results.ts'
import { otherFindings } from '../titles.ts'
import { deployText } from '../ui/deploy.ts'
import { planText } from '../ui/plan.ts'
import { createStyle } from '../ui/style.ts'
import { wholeNumber } from './arguments.ts'
import { rememberPlaces } from './deploying/behind.ts'
import { exitCodeOf, openEngine, requireAgreement, resultOf } from './deploying/engine.ts'
import { declarePlan, type PlanOptions, planOptions } from './deploying/plan-options.ts'
import { type Planned, planEnvironment } from './deploying/planning.ts'
import { loadPlan } from './plan/show.ts'
import { isBlocked } from './plan.ts'

interface Options extends PlanOptions {
  /** The approved plan's file. */
  readonly approved?: string
  readonly yes: boolean
  readonly resume: boolean
  readonly step: boolean
  readonly skipGates: boolean
  readonly parallel: number
}

const PARALLEL = 4

export const deployCommand = defineCommand<Options, DeployResult>({
  declare: command =>
    declarePlan(command.argument('[plan]', 'a file of `dap plan --out`; default: plans now, and asks'))
      .option('--yes', 'do not ask')
      .option(
        '--resume',
        'go on with what was paused or killed; takes over locks of processes of this machine that are gone',
      )
      .option('--step', 'one step of the rollout, or one look at its gates, and no waiting: for schedulers')
      .option('--skip-gates', 'go on whatever the gates say')
      .option(
        '--parallel <n>',
        `deployments that are worked on at the same time; default: ${PARALLEL}`,
        wholeNumber('parallel', 1),
      )
      .addHelpText(
        'after',
        `
Makes the cloud what Git says. Each deployment is uploaded and deployed at zero traffic; then traffic moves step by step
while gates are watched, and the old version is kept warm. Killed at any moment, the next run goes on.

exit codes: 0 done, 1 it cannot be applied, or was rolled back, 3 usage, 4 a stale plan or a lock, 5 the cloud said no,
            6 paused part-way: --resume, 130 interrupted: --resume`,
      ),

  options([approved], flags) {
    const options = planOptions(flags)
    if (approved !== undefined) refuseBeside(flags)
    return {
      ...options,
      ...(approved === undefined ? {} : { approved }),
      yes: flags['yes'] === true,
      resume: flags['resume'] === true,
      step: flags['step'] === true,
      skipGates: flags['skipGates'] === true,
      parallel: (flags['parallel'] as number | undefined) ?? PARALLEL,
    }
  },

  async run({ approved, yes, resume, step, skipGates, parallel, ...asked }, host, report) {
    const file = approved === undefined ? undefined : await loadPlan(host, approved)
    const options = file === undefined ? asked : optionsOf(file)
    const first = await planEnvironment(host, options, report)
    const unprotected = yes || file !== undefined ? [] : await askForOrphans(host, first, options)
    const planned =
      unprotected.length === 0
        ? first
        : await planEnvironment(
            host,
            { ...options, overrideProtection: [...options.overrideProtection, ...unprotected] },
            report,
          )
    const { plan, environment, cloud, actual, lookedBehind, origin } = planned
    const { engine, close } = await openEngine(
      host,
      { environment, cloud, commit: plan.header.commit, origin, resumes: resume },
      report,
    )
    try {
      if (file !== undefined) refuseStale(file, plan, host, engine)
      if (isBlocked(plan)) throw blocked(plan)
      if (!isEmpty(plan)) await requireAgreement(host, yes || file !== undefined, shown(plan, host), 'apply this plan?')
      if (options.prune) noteKept(plan, engine)
      const outcomes = await applyAll(plan, engine, {
        acceptDrift: options.acceptDrift,
        releaseHold: options.releaseHold,
        step,
        skipGates,
        resume,
        concurrency: parallel,
        bundleText: async name => bundleOf(planned, name),
        cloudAt: lookedBehind.cloudAt,
      })
      if (outcomes.some(({ state }) => state === 'applied')) {
        await rememberPlaces(environment, cloud, actual, lookedBehind)
      }
      return resultOf('deploy', environment, host, plan.digest, outcomes)
    } finally {
      await close()
    }
  },

  text: deployText,
  json: result => result,
  exitCode: ({ deployments, command }) => exitCodeOf(deployments, command),
})

/** An approved plan says itself what it is about. */
function refuseBeside(flags: Readonly<Record<string, unknown>>): void {
  const own = {
    env: '--env',
    only: '--only',
    acceptDrift: '--accept-drift',
    prune: '--prune',
    releaseHold: '--release-hold',
    overrideProtection: '--override-protection',
  }
  const given = Object.entries(own).find(([flag]) => flags[flag] !== undefined)
  if (given === undefined) return
  throw new UsageError(`a plan's file and ${given[1]} cannot both say what is to be done`, {
    hint: '`dap plan` takes it, and writes it into the plan',
  })
}

function optionsOf({ environment, only, acceptDrift, prune, releaseHold, overrideProtection }: Plan): PlanOptions {
  return {
    environment: environment.name,
    ...(only === null ? {} : { only }),
    acceptDrift,
    prune,
    releaseHold,
    overrideProtection,
  }
}

/** Names of the orphans that may go though they have traffic; only where somebody can be asked. */
async function askForOrphans(
  host: Host,
  { actual, environment: { target, declared } }: Planned,
  { prune, overrideProtection }: PlanOptions,
): Promise<string[]> {
  if (!prune || !host.terminal.interactive) return []
  const gone: string[] = []
  for (const { name, traffic } of servingOrphans(actual, target, {
    declared,
    only: null,
    prune,
    overrideProtection,
  })) {
    const question = `no Deployment declares ${name}, which has traffic (${traffic}): delete it?`
    if (await host.agree(question)) gone.push(name)
  }
  return gone
}

/** `--prune` says what it leaves, and why. */
function noteKept({ orphans }: Plan, { report }: Engine): void {
  for (const { id, deployment, kept } of orphans) {
    if (kept !== null)
      report({ type: 'deploy', deployment: deployment ?? id, event: 'note', text: `it stays: ${kept}` })
  }
}

function refuseStale(approved: Plan, fresh: Plan, host: Host, { report }: Engine): void {
  const hint = '`dap plan --out` makes another one'
  if (planHasExpired(approved, host.now())) {
    throw new DapError(`the plan has expired: ${approved.header.expires}`, { hint, exitCode: ExitCode.stale })
  }
  const { moved, different } = comparePlans(approved, fresh)
  if (different.length > 0) {
    const reasons = different.map(({ deployment, reason }) => `${deployment}: ${reason}`)
    throw new DapError(`the plan is stale: ${reasons.join('; ')}`, { hint, exitCode: ExitCode.stale })
  }
  const text = 'its endpoint was written to since it was planned; what is to be done is the same'
  for (const deployment of moved) report({ type: 'deploy', deployment, event: 'note', text })
}

function blocked(plan: Plan): DapError {
  const blocks = [
    ...plan.deployments.flatMap(({ deployment, blocked }) => blocked.map(each => ({ deployment, ...each }))),
    ...otherFindings(plan).flatMap(each =>
      each.level === 'block' ? { deployment: each.deployment, ...blockOf(each) } : [],
    ),
  ]
  const reasons = blocks.map(({ deployment, reason }) => `${deployment}: ${reason}`)
  const hints = [...new Set(blocks.map(({ hint }) => hint))]
  return new DapError(`the plan cannot be applied: ${reasons.join('; ')}`, { hint: hints.join('; ') })
}

const isEmpty = ({ deployments, orphans }: Plan) =>
  deployments.every(({ changes }) => changes.length === 0) && orphans.every(({ changes }) => changes.length === 0)

const shown = (plan: Plan, { terminal }: Host) =>
  planText(plan, { style: createStyle(terminal.color), columns: terminal.columns })

function bundleOf({ deployments }: Planned, name: string): string {
  return deployments.find(({ desired }) => desired.deployment === name)!.bundle
}
