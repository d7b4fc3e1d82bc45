import { join } from 'node:path'
import type { RunEvent } from '../../command.ts'
import type { DeploymentState } from '../../deploy/doing/events.ts'
import type { Engine } from '../../deploy/doing/run.ts'
import type { Patience } from '../../deploy/patience.ts'
import type { Cloud, Place } from '../../deploy/routes.ts'
import type { Commit } from '../../deploy/wanted/plan.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import { DEPLOY_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { stream } from '../../math/rng.ts'
import type { DeploymentOutcome, DeployResult } from '../../results.ts'
import type { OpenEnvironment } from './environment.ts'

/**
 * What changes the cloud, with a journal of all that it does in `.dap/journal/`. `close` when it is done, whatever came of it.
 */
export async function openEngine(
  host: Host,
  {
    environment: { opened, target },
    cloud,
    commit,
    origin,
    resumes = false,
  }: {
    readonly environment: OpenEnvironment
    readonly cloud: Cloud
    readonly commit: Commit | null
    /** `originDigest` of this clone. */
    readonly origin: string | null
    /** Does it take over the locks of runs whose processes are gone? */
    readonly resumes?: boolean
  },
  report: (event: RunEvent) => void,
): Promise<{ readonly engine: Engine; close(): Promise<void> }> {
  const { run, now } = host
  const path = join(opened.root, '.dap', 'journal', `${target.environment}-${now()}-${run.id}.jsonl`)
  let journal: ReturnType<Host['files']['lines']> | undefined
  const note = (line: string) => {
    journal ??= host.files.lines(path)
    void journal.then(file => file.write(line)).catch(() => {})
  }
  const engine: Engine = {
    ...patienceOf(host),
    cloud,
    target,
    run: { ...run, ...(await host.processes()), resumes },
    commit,
    origin,
    report(event) {
      note(JSON.stringify({ at: new Date(now()).toISOString(), run: run.id, ...event }))
      report(event)
    },
  }
  return { engine, close: async () => (await journal)?.close() }
}

/** How a command waits for the cloud. */
export function patienceOf({ run, signal, now, sleep }: Host): Patience {
  return { clock: { now, sleep }, rng: stream(Number.parseInt(run.id, 16), 'jitter'), signal }
}

/** The cloud of a place as every command has it: one that reads patiently, and says when it waits. */
export async function openCloud(host: Host, place: Place, report: (event: RunEvent) => void): Promise<Cloud> {
  const cloud = await host.cloud(place)
  return cloud.patiently({
    ...patienceOf(host),
    onRetry: (call, attempt, reason, ms) => report({ type: 'retry', call, attempt, reason, ms }),
  })
}

/** The same for who wants an answer now: every read is tried once. */
export async function openCloudOnce(host: Host, place: Place): Promise<Cloud> {
  return (await host.cloud(place)).patiently(undefined)
}

/** Asks before anything is changed, and stops at a no; `--yes` has answered already, and nobody is asked without a terminal. */
export async function requireAgreement(host: Host, yes: boolean, shown: string, question: string): Promise<void> {
  if (yes) return
  if (!host.terminal.interactive) {
    throw new UsageError('nobody can be asked here whether to go on', { hint: '--yes says so beforehand' })
  }
  await host.output.err(`${shown.trimEnd()}\n\n`)
  if (!(await host.agree(question))) throw new DapError('nothing was changed')
}

/** What became of everything, in the form that every command which operates gives. */
export function resultOf(
  command: DeployResult['command'],
  { target }: OpenEnvironment,
  { run }: Host,
  plan: string | null,
  deployments: readonly DeploymentOutcome[],
): DeployResult {
  return {
    schema: DEPLOY_RESULT_SCHEMA,
    command,
    environment: target.environment,
    run: run.id,
    plan,
    deployments,
    passed: exitCodeOf(deployments, command) === ExitCode.done,
  }
}

/** The gravest first. A rollback that was asked for is no failure. */
const CODES: readonly (readonly [DeploymentState, ExitCode])[] = [
  ['interrupted', ExitCode.interrupted],
  ['failed', ExitCode.remote],
  ['conflict', ExitCode.stale],
  ['paused', ExitCode.partial],
  ['rolled-back', ExitCode.no],
]

export function exitCodeOf(
  deployments: readonly Pick<DeploymentOutcome, 'state'>[],
  command: DeployResult['command'],
): ExitCode {
  const found = CODES.find(([state]) => deployments.some(each => each.state === state))
  if (found === undefined || (found[0] === 'rolled-back' && command === 'rollback')) return ExitCode.done
  return found[1]
}
