/**
 * The loop that all operating is: look, do the first change that is left, look again, until nothing is left. A call that was not answered may
 * have been done or not, so it is not repeated: the next look tells. Resuming a killed run is the same loop, begun by another process.
 */
import { DapError, ExitCode, InterruptedError } from '../../errors.ts'
import type { Commit } from '../../generated/types.ts'
import type { Rng } from '../../math/rng.ts'
import type { DeploymentOutcome } from '../../results.ts'
import { changeTitle } from '../../titles.ts'
import type { Change } from '../change.ts'
import { CloudError, WorkFailed } from '../cloud-error.ts'
import { identityOf, type Memory } from '../memory.ts'
import type { Waiting } from '../patience.ts'
import { type Clock, createBackoff, createWaiting, type Patience } from '../patience.ts'
import type { Cloud, Release } from '../routes.ts'
import type { Run } from '../runs.ts'
import type { ActualDeployment } from '../wanted/actual.ts'
import type { Target } from '../wanted/desired.ts'
import { recalled } from '../wanted/ownership.ts'
import { displayNames } from '../wanted/roles.ts'
import { sameChange } from './approval.ts'
import { conflict } from './conflict.ts'
import type { DeployEvent, DeploymentState } from './events.ts'
import { type EndpointLock, endpointLock } from './lock.ts'

/** What a run has of the world. */
export interface Engine {
  /** One that reads patiently. */
  readonly cloud: Cloud
  readonly target: Target
  readonly clock: Clock
  readonly rng: Rng
  readonly signal?: AbortSignal
  readonly run: Run
  readonly commit: Commit | null
  /** `originDigest` of this clone; null where it has none. */
  readonly origin: string | null
  report(event: DeployEvent): void
}

export interface Stop {
  readonly state: DeploymentState
  readonly reason: string | null
  readonly hint: string | null
}

export interface Work {
  readonly deployment: string
  readonly endpoint: string
  readonly shelf: string
  /** Name of the object of the bucket that is asked for. */
  readonly bundle?: string
  /** Display names of models that it will deploy, by id. */
  readonly names?: Readonly<Record<string, string>>
  /** A single write to the endpoint: it takes no lock, and waits for nothing that runs. */
  readonly swift?: boolean
  /** What is left to do, from what there is; or that nothing is to be done any more, and why. */
  left(actual: ActualDeployment): readonly Change[] | Stop
  /** Does one change. What it returns ends the run. */
  perform(change: Change, step: Step): Promise<Stop | undefined>
}

/** What one change has to work with. */
export interface Step {
  /** It reads patiently, in the name of this deployment. */
  readonly cloud: Cloud
  readonly lock: EndpointLock
  readonly actual: ActualDeployment
  /** Changes that are left after this one. */
  readonly after: readonly Change[]
  readonly patience: Patience
  /** Does what takes its time; throws what it failed with. `onBegun` once it is certain that it goes on. */
  through(begin: (waiting: Waiting) => Promise<void>, onBegun?: () => void): Promise<void>
  /** Says something of it. */
  report(event: Said): void
}

type Said = DeployEvent extends infer E ? (E extends DeployEvent ? Omit<E, 'type' | 'deployment'> : never) : never

/** So often may one change have to be done before it is said to have no effect. */
const MOST_REPEATS = 3

export async function carryOut(work: Work, engine: Engine): Promise<DeploymentOutcome> {
  const { clock, signal, target, run } = engine
  const report = (event: Said) =>
    engine.report({ type: 'deploy', deployment: work.deployment, ...event } as DeployEvent)
  const patience: Patience = {
    clock,
    rng: engine.rng,
    signal,
    onRetry: (call, tried, reason) => report({ event: 'retry', call, attempt: tried, reason }),
  }
  let releases: readonly Release[] = []
  const cloud = engine.cloud.patiently(patience)
  const lock = endpointLock(work.endpoint, {
    cloud,
    patience,
    run,
    recall: endpoint => recalled(endpoint, releases, identityOf(work, target)),
    onNote: text => report({ event: 'note', text }),
    onLocked: until => report({ event: 'locked', run: run.id, until }),
  })
  const titleOf = (change: Change) => {
    const names = { ...work.names, ...displayNames(lock.endpoint) }
    return changeTitle(change, id => names[id] ?? id)
  }
  const done: { title: string; operation: string | null; ms: number }[] = []
  const finished: Change[] = []
  let planned: readonly Change[] | undefined

  const stop = await loop()
    .catch(failureOf)
    .catch(async bug => {
      await lock.release().catch(() => {}) // it is the bug that is to be heard of
      throw bug
    })
  await lock.release(stop.edit)
  report({ event: 'finished', state: stop.state, reason: stop.reason })
  return {
    deployment: work.deployment,
    endpoint: work.endpoint,
    state: stop.state,
    reason: stop.reason,
    hint: stop.hint,
    changes: done,
    traffic: lock.endpoint?.traffic ?? {},
    names: displayNames(lock.endpoint),
  }

  async function loop(): Promise<Ended> {
    let backoff = createBackoff(patience, { races: true })
    // Something may go on that this run knows nothing of: another one was killed, or a call of this one was not answered.
    let unknown = true
    for (;;) {
      if (signal?.aborted) throw new InterruptedError()
      let doing = 'read'
      try {
        const actual = await look()
        lock.tolerate(false)
        if (lock.abandoned && !work.swift) await lock.acquire()
        const left = work.left(actual)
        if ('state' in left) return left
        if (left.length === 0) {
          return { state: done.length === 0 ? 'unchanged' : 'applied', reason: null, hint: null }
        }
        const [change, ...after] = left
        doing = change.kind
        if (work.swift) lock.refuseTaken()
        else if (actual.endpoint !== undefined && !lock.held) await lock.acquire()
        if (unknown && !work.swift) {
          await settleAll()
          unknown = false
          // Something may have ended since the look: also what was not seen running any more.
          continue
        }
        await lock.assure()
        if (planned === undefined) {
          planned = left
          const changes = left.map(each => ({ kind: each.kind, title: titleOf(each) }))
          report({ event: 'planned', changes })
        }
        const stop = await perform(change, after, actual, planned)
        if (stop !== undefined) return stop
        backoff = createBackoff(patience, { races: true })
      } catch (failure) {
        unknown = true
        await backoff(failure, doing)
      }
    }
  }

  async function look(): Promise<ActualDeployment> {
    releases = await cloud.releasesOf(work.shelf)
    const endpoint = await lock.read()
    const { owner } = lock.memory
    if (owner !== undefined && owner !== target.projectId) {
      throw conflict(`\`${work.endpoint}\` belongs to another repository by now`, '`dap status` shows whose it is')
    }
    const { bundle } = work
    const objects = bundle === undefined ? [] : await cloud.listArtefacts(bundle)
    return { endpoint, lost: lock.lost, releases, bundle: objects.some(name => name === bundle) }
  }

  /** Waits for what goes on at the endpoint and the shelf, whoever started it; how it ends, the next look tells. */
  async function settleAll(): Promise<void> {
    const { endpoint: route, shelf } = work
    const onBegun = (name: string) => {
      lock.tolerate(true)
      report({ event: 'note', text: `waits for ${name}, which runs already` })
    }
    await cloud.settle({ route, shelf }, createWaiting(patience, { onBegun, onPoll: () => lock.renew() }))
  }

  async function perform(change: Change, after: readonly Change[], actual: ActualDeployment, all: readonly Change[]) {
    const index = all.findIndex(each => sameChange(each, change))
    const title = titleOf(change)
    const started = clock.now()
    if (finished.filter(each => sameChange(each, change)).length >= MOST_REPEATS) {
      throw new Error(`\`${title}\` of \`${work.deployment}\` was done ${MOST_REPEATS} times and is still to be done`)
    }
    let operation: string | null = null
    report({ event: 'started', change: index, kind: change.kind, title })
    const stop = await work.perform(change, {
      cloud,
      lock,
      actual,
      after,
      patience,
      report,
      async through(begin, onBegun) {
        const waiting = createWaiting(patience, {
          onBegun(name) {
            operation = name
            onBegun?.()
            report({ event: 'operation', change: index, operation })
          },
          onPoll: () => lock.renew(),
          onStage: stage => report({ event: 'stage', change: index, stage }),
        })
        await begin(waiting).catch(failure => {
          throw failure instanceof WorkFailed ? changeFailed(title, failure) : failure
        })
      },
    })
    if (change.kind === 'hold' && lock.memory.step?.state !== 'passed') return stop
    finished.push(change)
    done.push({ title, operation, ms: clock.now() - started })
    report({ event: 'done', change: index })
    return stop
  }
}

interface Ended extends Stop {
  /** What is to be remembered from now on. */
  readonly edit?: EditMemory
}

type EditMemory = (memory: Memory) => Memory

/** A change that had begun and ended badly. Trying again takes as long, and ends the same. */
export class ChangeFailed extends DapError {}

/** The same, where it leaves something remembered that is to be changed. */
export class FailedChange extends DapError {
  readonly edit: EditMemory

  constructor(cause: DapError, edit: EditMemory) {
    super(cause.message, { hint: cause.hint, exitCode: cause.exitCode, cause })
    this.edit = edit
  }
}

/** What lost a race after it had begun is met as a call that did. */
function changeFailed(title: string, { status, message, hint }: WorkFailed): DapError {
  if (status === 'ABORTED' || status === 'ALREADY_EXISTS') return new CloudError(status, message)
  return new ChangeFailed(`could not ${title}: ${message}`, { hint, exitCode: ExitCode.remote })
}

/** How a failure ends a run. What is no DapError is a bug, and is thrown on. */
function failureOf(failure: unknown): Ended {
  if (!(failure instanceof DapError)) throw failure
  const { message: reason, hint = null } = failure
  if (failure instanceof InterruptedError) return { state: 'interrupted', reason: 'the run was stopped', hint }
  if (failure.exitCode === ExitCode.stale) return { state: 'conflict', reason, hint }
  return { state: 'failed', reason, hint, edit: failure instanceof FailedChange ? failure.edit : undefined }
}
