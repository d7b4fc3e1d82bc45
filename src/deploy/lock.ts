/**
 * One run at a time writes to an endpoint. The lock is a label, `dap-lock`, taken by compare-and-swap on the endpoint's etag; it expires, so
 * that a killed run does not keep it, and everything that is written to the endpoint is written through it. Before it expires another run
 * takes it over only if that is asked for and the process that holds it is known to be gone.
 */
import { DapError, ExitCode } from '../errors.ts'
import { type Cloud, CloudError, type Endpoint, type EndpointUpdate, type Traffic } from './cloud.ts'
import type { Owner } from './desired.ts'
import {
  areIntact,
  decodeLabels,
  type EndpointLabels,
  encodeLabels,
  type LockLabel,
  type LockProcess,
  withoutLock,
} from './labels.ts'
import { isOurs } from './ownership.ts'
import { createBackoff, type Patience } from './patience.ts'
import { readOnce } from './reads.ts'
import { sameTraffic } from './roles.ts'

/** ms; renewed at a third. */
export const LOCK_TERM = 900_000

/** For giving the lock back after the run was stopped, in ms. */
const GRACE = 5_000

/** ms; what was looked at longer ago is looked at again before a call that no etag guards. */
const FRESH = 5_000

/** A run as its locks name it, and what it makes of other runs' locks. */
export interface Run extends Processes {
  readonly id: string
  readonly owner: string
  /** Does it take over the locks of processes that are gone? */
  readonly resumes: boolean
}

export interface Processes {
  readonly process: LockProcess
  stateOf(process: LockProcess): ProcessState
}

/** What this machine knows of a process; `unknown`: one has its number, and nobody says whether it is that one. */
export type ProcessState = 'running' | 'gone' | 'elsewhere' | 'unknown'

export interface LockOptions {
  /** One that reads patiently. */
  readonly cloud: Cloud
  readonly patience: Patience
  readonly run: Run
  /** The endpoint with what is remembered of it elsewhere, where its labels do not say whose it is. */
  recall(endpoint: Endpoint): Endpoint
  onNote(text: string): void
  onLocked(until: number): void
}

export interface EndpointLock {
  readonly held: boolean
  /** As last read or written. */
  readonly endpoint: Endpoint | undefined
  /** Somebody took dap's labels away: what `endpoint` has of them is from memory, and the next write puts them back. */
  readonly lost: boolean
  readonly labels: EndpointLabels
  /**
   * Reads the endpoint. A conflict where the lock was lost, or where somebody else moved traffic or deployed models while it was held;
   * anybody may edit the rest.
   */
  read(): Promise<Endpoint | undefined>
  /** Another run holds it whose process is gone, and this one is to go on. */
  readonly abandoned: boolean
  /** Takes the lock of the endpoint as it was read. A conflict where another run holds it. */
  acquire(): Promise<void>
  /** The same conflict, for a single write that needs no lock of its own. */
  refuseTaken(): void
  /** As it is written into an endpoint that is about to be created. */
  fresh(): LockLabel
  /** One write, which renews the lock, or gives it back. Fails as `updateEndpoint` does: read again before another try. */
  write(
    labels: EndpointLabels,
    update?: Omit<EndpointUpdate, 'etag' | 'labels'>,
    then?: 'keep' | 'release',
  ): Promise<void>
  /** While an operation runs that this run has not started, traffic and deployed models may move. */
  tolerate(moves: boolean): void
  /** A deployed model that comes or goes by a call of this run. */
  touch(deployedModel: string): void
  /** The endpoint is being created, with the lock in its labels. */
  creating(): void
  /** From now on the endpoint may be gone, and the lock with it. */
  deleting(): void
  /** Writes the lock anew when a third of its term is over. */
  renew(): Promise<void>
  /** The same, and looks whether it is still held unless that was seen just now: before calls that no etag guards. */
  assure(): Promise<void>
  /**
   * Gives the lock back if a look at the endpoint shows that it is held, with labels changed by `edit`. Never fails for want of an answer:
   * the lock expires.
   */
  release(edit?: (labels: EndpointLabels) => EndpointLabels): Promise<void>
}

/** Of an endpoint that is not there. */
const NOBODY: EndpointLabels = { project: '', environment: '', deployment: '' }

export function endpointLock(id: string, options: LockOptions): EndpointLock {
  const { cloud, patience, run, recall, onNote, onLocked } = options
  const { clock } = patience
  let endpoint: Endpoint | undefined
  let held = false
  /** A write that takes the lock may have succeeded without an answer. */
  let claimed = false
  /** A write that gives the lock back may have succeeded without an answer. */
  let releasing = false
  let doomed = false
  let unborn = false
  let tolerant = false
  let renewed = 0
  /** When the endpoint was last read or written. */
  let seen = 0
  /** What a write of this run may have made of the traffic. */
  let written: Traffic | undefined
  /** What `endpoint` says of dap's labels is from memory. */
  let wiped = false
  const touched = new Set<string>()

  const decoded = () => decodeLabels(endpoint?.labels ?? {})
  const labels = (): EndpointLabels => decoded().ours ?? NOBODY
  const fresh = (): LockLabel => ({
    run: run.id,
    expires: Math.ceil((clock.now() + LOCK_TERM) / 1000),
    owner: run.owner,
    process: run.process,
  })
  /** The lock of another run that has not expired. */
  const others = (): LockLabel | undefined => {
    const found = labels().lock
    return found === undefined || found.run === run.id || found.expires * 1000 <= clock.now() ? undefined : found
  }

  const lock: EndpointLock = {
    get held() {
      return held
    },
    get endpoint() {
      return endpoint
    },
    get lost() {
      return wiped
    },
    get labels() {
      return labels()
    },
    get abandoned() {
      const process = others()?.process
      return run.resumes && process !== undefined && run.stateOf(process) === 'gone'
    },
    fresh,
    touch: deployedModel => void touched.add(deployedModel),
    tolerate(moves) {
      tolerant = moves
    },
    creating() {
      unborn = true
    },
    deleting() {
      doomed = true
    },

    async read() {
      const before = endpoint
      endpoint = known(await cloud.getEndpoint(id))
      seen = clock.now()
      // Where the lock went with the labels, it was not broken.
      if (wiped && labels().lock === undefined) held = claimed = false
      const found = labels().lock
      const ours = found?.run === run.id
      if (held && !ours && !(releasing && found === undefined) && !(doomed && endpoint === undefined)) {
        held = claimed = false
        throw lost(id, found)
      }
      if (held && ours && before && endpoint && !tolerant) refuseForeign(before, endpoint)
      if (ours && !held) {
        renewed = found.expires * 1000 - LOCK_TERM
        onLocked(found.expires * 1000)
      }
      held = claimed = ours
      unborn &&= endpoint === undefined
      releasing = false
      written = undefined
      return endpoint
    },

    refuseTaken() {
      const found = others()
      if (found !== undefined && !lock.abandoned) throw taken(labels(), found, run)
    },

    async acquire() {
      const found = labels().lock
      const { abandoned } = lock
      if (!abandoned) lock.refuseTaken()
      const repaired = wiped
      await lock.write(labels())
      if (repaired) onNote('somebody had taken away the labels of dap; they are put back')
      if (found !== undefined && found.run !== run.id) {
        const [which, why] = abandoned ? ['', ', whose process is gone'] : ['expired ', '']
        onNote(`took over the ${which}lock of ${found.owner} (run ${found.run})${why}`)
      }
      onLocked(labels().lock!.expires * 1000)
    },

    async write(next, update = {}, then = 'keep') {
      if (endpoint === undefined) throw new CloudError('NOT_FOUND', `endpoint \`${id}\` is gone`)
      const keep = then === 'keep'
      written = update.traffic
      releasing = !keep
      claimed ||= keep
      const at = clock.now()
      endpoint = await cloud.updateEndpoint(id, {
        ...update,
        etag: endpoint.etag,
        labels: encodeLabels({ ...next, lock: keep ? fresh() : undefined }, decoded().foreign),
      })
      held = claimed = keep
      wiped = false
      renewed = seen = at
    },

    async renew() {
      if (!held || clock.now() < renewed + LOCK_TERM / 3) return
      const backoff = createBackoff(patience, { races: true })
      for (;;) {
        try {
          return await lock.write(labels())
        } catch (failure) {
          await backoff('updateEndpoint', failure)
          await lock.read()
        }
      }
    },

    async assure() {
      if (held && clock.now() >= seen + FRESH) await lock.read()
      // Taken away with the labels a moment ago.
      if (wiped) await lock.write(labels())
      await lock.renew()
    },

    async release(edit = unchanged => unchanged) {
      // The run's own signal may have aborted: this one has none, and reads have no patience of their own.
      const { getEndpoint } = readOnce(cloud)
      const backoff = createBackoff({ clock, rng: patience.rng }, { races: true, budgetMs: GRACE })
      const until = clock.now() + GRACE
      try {
        while (unborn && clock.now() < until) {
          await clock.sleep(1000)
          endpoint = await getEndpoint(id)
          claimed = labels().lock?.run === run.id
          unborn = endpoint === undefined
        }
        while (claimed) {
          try {
            endpoint = known(await getEndpoint(id))
            if (labels().lock?.run !== run.id) return
            await lock.write(edit(labels()), {}, 'release')
          } catch (failure) {
            await backoff('updateEndpoint', failure)
          }
        }
      } catch (failure) {
        if (!(failure instanceof CloudError)) throw failure
        onNote(
          `the lock could not be given back (${failure.message}); it expires at ${expiry(labels().lock ?? fresh())}`,
        )
      } finally {
        held = claimed = false
      }
    },
  }
  return lock

  /** With what dap remembers, where somebody took its labels away: this run itself while it works on it, or else the model. */
  function known(live: Endpoint | undefined): Endpoint | undefined {
    wiped = live !== undefined && !areIntact(live.labels)
    if (!wiped) return live
    const last = held && endpoint !== undefined ? decodeLabels(endpoint.labels).ours : undefined
    if (last === undefined) return recall(live!)
    onNote('somebody took away labels of dap; they are put back')
    const { ours, foreign } = decodeLabels(live!.labels)
    // A write of traffic may have been done, without an answer.
    const labels = encodeLabels({ ...last, lock: ours?.lock, traffic: undefined }, foreign)
    return { ...live!, labels }
  }

  function refuseForeign(before: Endpoint, after: Endpoint): void {
    const others = (shares: Traffic) =>
      Object.fromEntries(Object.entries(shares).filter(([model]) => !touched.has(model)))
    const same = (a: Traffic, b: Traffic) => sameTraffic(others(a), others(b))
    const models = ({ deployedModels }: Endpoint) => Object.fromEntries(deployedModels.map(model => [model.id, 1]))
    const expected = written === undefined ? [before.traffic] : [before.traffic, written]
    if (!expected.some(traffic => same(traffic, after.traffic))) throw moved(id, 'the traffic')
    if (!same(models(before), models(after))) throw moved(id, 'the deployed models')
  }
}

/** Locks of an environment's endpoints; `now` in ms since 1970. */
export async function listLocks(cloud: Cloud, whose: Owner, now: number): Promise<readonly HeldLock[]> {
  return (await cloud.listEndpoints()).flatMap(({ id, labels }) => {
    const { ours } = decodeLabels(labels)
    if (ours?.lock === undefined || ours.environment !== whose.environment || !isOurs(ours, whose)) return []
    const expired = ours.lock.expires * 1000 <= now
    return [{ deployment: ours.deployment, endpoint: id, lock: ours.lock, expired }]
  })
}

export interface HeldLock {
  readonly deployment: string
  readonly endpoint: string
  readonly lock: LockLabel
  readonly expired: boolean
}

/** Takes the lock away from that run, which writes nothing more as soon as it looks; from no other that holds it by now. */
export async function breakLock(
  cloud: Cloud,
  id: string,
  run: string,
  patience: Patience,
  processes: Processes,
): Promise<void> {
  const backoff = createBackoff(patience, { races: true })
  for (;;) {
    const endpoint = await cloud.getEndpoint(id)
    const { ours } = decodeLabels(endpoint?.labels ?? {})
    if (endpoint === undefined || ours?.lock === undefined) return
    if (ours.lock.run !== run) throw taken(ours, ours.lock, processes)
    try {
      const labels = withoutLock(endpoint.labels)
      await cloud.updateEndpoint(id, { etag: endpoint.etag, labels })
      return
    } catch (failure) {
      await backoff('updateEndpoint', failure)
    }
  }
}

/** Somebody else was there: nothing more is written, and what the cloud has is worth another plan. */
export function conflict(message: string, hint: string): DapError {
  return new DapError(message, { hint, exitCode: ExitCode.stale })
}

function taken({ deployment, environment }: EndpointLabels, lock: LockLabel, { stateOf }: Processes): DapError {
  const until = expiry(lock)
  const locked = `\`${deployment}\` is locked by ${lock.owner} (run ${lock.run})`
  const take = `dap lock break ${deployment} --env ${environment}`
  const { process } = lock
  const state = process && stateOf(process)
  switch (state) {
    case 'running':
      return conflict(
        `${locked}, which is process ${process!.pid} of this machine, and still runs`,
        `wait for it, or stop it; once it is gone, \`dap deploy --resume\` and \`dap rollback\` take its lock over`,
      )
    case 'gone':
      return conflict(
        `${locked} until ${until}, and its process is gone`,
        `dap deploy --env ${environment} --only ${deployment} --resume takes the lock over and goes on, \`dap rollback ${deployment}\` takes it over and goes back`,
      )
    default: {
      const where = state === 'elsewhere' ? ' on another machine or in another container' : ''
      return conflict(
        `${locked}${where} until ${until}`,
        `nobody here can tell whether that run goes on: wait for it, or until then, or take the lock away from it: ${take}`,
      )
    }
  }
}

function lost(id: string, lock: LockLabel | undefined): DapError {
  const now = lock === undefined ? 'nobody holds it now' : `${lock.owner} (run ${lock.run}) holds it now`
  return conflict(
    `the lock of \`${id}\` was taken away: ${now}`,
    '`dap status` shows what runs; `dap plan` what is left',
  )
}

function moved(id: string, what: string): DapError {
  return conflict(
    `somebody changed ${what} of \`${id}\` while it was being deployed`,
    '`dap plan` shows what they did; `dap deploy --accept-drift` overwrites it',
  )
}

const expiry = ({ expires }: LockLabel) => new Date(expires * 1000).toISOString()
