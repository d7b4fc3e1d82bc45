/**
 * One run at a time writes to an endpoint. The lock is remembered with it, taken by compare-and-swap on the endpoint's version; it expires, so
 * that a killed run does not keep it, and everything that is written to the endpoint is written through it. Before it expires another run
 * takes it over only if that is asked for and the process that holds it is known to be gone.
 */
import { CloudError } from '../cloud-error.ts'
import type { Lock, Memory, Owner } from '../memory.ts'
import { createBackoff, type Patience } from '../patience.ts'
import type { Cloud, Route } from '../routes.ts'
import type { Processes } from '../runs.ts'
import { isOurs } from '../wanted/ownership.ts'
import { expiry, taken } from './conflict.ts'
import { LOCK_TERM, type LockOptions, lockedEndpoint, type Update } from './locked-endpoint.ts'

/** For giving the lock back after the run was stopped, in ms. */
const GRACE = 5_000

/** ms; what was looked at longer ago is looked at again before a call that no version guards. */
const FRESH = 5_000

export interface EndpointLock {
  readonly held: boolean
  /** As last read or written. */
  readonly endpoint: Route | undefined
  /** Somebody took away what dap remembers: what `endpoint` has of it is from elsewhere, and the next write puts it back. */
  readonly lost: boolean
  readonly memory: Memory
  /**
   * Reads the endpoint. A conflict where the lock was lost, or where somebody else moved traffic or deployed models while it was held;
   * anybody may edit the rest.
   */
  read(): Promise<Route | undefined>
  /** Another run holds it whose process is gone, and this one is to go on. */
  readonly abandoned: boolean
  /** Takes the lock of the endpoint as it was read. A conflict where another run holds it. */
  acquire(): Promise<void>
  /** The same conflict, for a single write that needs no lock of its own. */
  refuseTaken(): void
  /** As it is written into an endpoint that is about to be created. */
  fresh(): Lock
  /** One write, which renews the lock, or gives it back. Fails as `updateRoute` does: read again before another try. */
  write(memory: Memory, update?: Update, then?: 'keep' | 'release'): Promise<void>
  /** While something goes on that this run has not begun, traffic and deployed models may move. */
  tolerate(moves: boolean): void
  /** A deployed model that comes or goes by a call of this run. */
  touch(deployedModel: string): void
  /** The endpoint is being created, with the lock. */
  creating(): void
  /** From now on the endpoint may be gone, and the lock with it. */
  deleting(): void
  /** Writes the lock anew when a third of its term is over. */
  renew(): Promise<void>
  /** The same, and looks whether it is still held unless that was seen just now: before calls that no version guards. */
  assure(): Promise<void>
  /**
   * Gives the lock back if a look at the endpoint shows that it is held, with its memory changed by `edit`. Never fails for want of an answer:
   * the lock expires.
   */
  release(edit?: (memory: Memory) => Memory): Promise<void>
}

export function endpointLock(id: string, options: LockOptions): EndpointLock {
  const { cloud, patience, run, onNote, onLocked } = options
  const { clock } = patience
  const at = lockedEndpoint(id, options)
  const { grip, moves, read, write } = at

  /** The lock of another run that has not expired. */
  function others(): Lock | undefined {
    const { lock } = at.memory
    return lock === undefined || at.isOwn(lock) || lock.expires * 1000 <= clock.now() ? undefined : lock
  }

  function isAbandoned(): boolean {
    const process = others()?.process
    return run.resumes && process !== undefined && run.stateOf(process) === 'gone'
  }

  function refuseTaken(): void {
    const found = others()
    if (found !== undefined && !isAbandoned()) throw taken(at.memory, found, run)
  }

  async function renew(): Promise<void> {
    if (!grip.held || clock.now() < at.renewed + LOCK_TERM / 3) return
    const backoff = createBackoff(patience, { races: true })
    for (;;) {
      try {
        return await write(at.memory)
      } catch (failure) {
        await backoff(failure)
        await read()
      }
    }
  }

  /** Until it is sure that the lock is not this run's. */
  async function giveBack(edit: (memory: Memory) => Memory): Promise<void> {
    // The run's own signal may have aborted: this one has none, and reads have no patience of their own.
    const reads = cloud.patiently(undefined)
    const backoff = createBackoff({ clock, rng: patience.rng }, { races: true, budgetMs: GRACE })
    const until = clock.now() + GRACE
    while (grip.unborn && clock.now() < until) {
      await clock.sleep(1000)
      const own = await at.look(reads)
      grip.sees(at.endpoint !== undefined, own ? 'ours' : 'theirs')
    }
    while (grip.possible) {
      try {
        if (!(await at.look(reads))) return
        await write(edit(at.memory), {}, 'release')
      } catch (failure) {
        await backoff(failure)
      }
    }
  }

  return {
    get held() {
      return grip.held
    },
    get endpoint() {
      return at.endpoint
    },
    get lost() {
      return at.wiped
    },
    get memory() {
      return at.memory
    },
    get abandoned() {
      return isAbandoned()
    },
    ...{ read, write, renew, refuseTaken },
    fresh: at.fresh,
    tolerate: moves.tolerate,
    touch: moves.touch,
    creating: grip.creating,
    deleting: grip.deleting,

    async acquire() {
      const found = at.memory.lock
      const abandoned = isAbandoned()
      refuseTaken()
      const repaired = at.wiped
      await write(at.memory)
      if (repaired) onNote('somebody had taken away the labels of dap; they are put back')
      if (found !== undefined && !at.isOwn(found)) {
        const [which, why] = abandoned ? ['', ', whose process is gone'] : ['expired ', '']
        onNote(`took over the ${which}lock of ${found.owner} (run ${found.run})${why}`)
      }
      onLocked(at.memory.lock!.expires * 1000)
    },

    async assure() {
      if (grip.held && clock.now() >= at.seen + FRESH) await read()
      // Taken away with all else a moment ago.
      if (at.wiped) await write(at.memory)
      await renew()
    },

    async release(edit = unchanged => unchanged) {
      try {
        await giveBack(edit)
      } catch (failure) {
        if (!(failure instanceof CloudError)) throw failure
        const expires = expiry(at.memory.lock ?? at.fresh())
        onNote(`the lock could not be given back (${failure.message}); it expires at ${expires}`)
      } finally {
        grip.drop()
      }
    },
  }
}

/** Locks of an environment's endpoints; `now` in ms since 1970. */
export async function listLocks(cloud: Cloud, whose: Owner, now: number): Promise<readonly HeldLock[]> {
  return (await cloud.listRoutes()).flatMap(({ id, memory: ours }) => {
    if (ours?.lock === undefined || ours.environment !== whose.environment || !isOurs(ours, whose)) return []
    const expired = ours.lock.expires * 1000 <= now
    return [{ deployment: ours.deployment, endpoint: id, lock: ours.lock, expired }]
  })
}

export interface HeldLock {
  readonly deployment: string
  readonly endpoint: string
  readonly lock: Lock
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
    const endpoint = await cloud.getRoute(id)
    const ours = endpoint?.memory
    if (endpoint === undefined || ours?.lock === undefined) return
    if (ours.lock.run !== run) throw taken(ours, ours.lock, processes)
    try {
      await cloud.updateRoute(endpoint, { unlock: true })
      return
    } catch (failure) {
      await backoff(failure)
    }
  }
}
