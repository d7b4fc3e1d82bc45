/** An endpoint as one run reads and writes it, with the lock in what is remembered of it. */
import { CloudError } from '../cloud-error.ts'
import type { Lock, Memory } from '../memory.ts'
import type { Patience } from '../patience.ts'
import type { Cloud, Route, RouteUpdate } from '../routes.ts'
import type { Run } from '../runs.ts'
import { lost, moved } from './conflict.ts'
import { createForeignMoves, type ForeignMoves } from './foreign-moves.ts'
import { createGrip, type Grip } from './grip.ts'

/** ms; renewed at a third. */
export const LOCK_TERM = 900_000

export interface LockOptions {
  /** One that reads patiently. */
  readonly cloud: Cloud
  readonly patience: Patience
  readonly run: Run
  /** The endpoint with what is remembered of it elsewhere, where it does not say whose it is. */
  recall(endpoint: Route): Route
  onNote(text: string): void
  onLocked(until: number): void
}

/** What `write` changes beside that. */
export type Update = Omit<RouteUpdate, 'memory' | 'unlock'>

export interface LockedEndpoint {
  readonly grip: Grip
  readonly moves: ForeignMoves
  /** As last read or written. */
  readonly endpoint: Route | undefined
  readonly memory: Memory
  /** Somebody took it away: what `endpoint` has of it is from elsewhere. */
  readonly wiped: boolean
  /** When it was last read or written, and the lock written; ms since 1970. */
  readonly seen: number
  readonly renewed: number
  /** The lock of this run, as it would be written now. */
  fresh(): Lock
  isOwn(lock: Lock | undefined): boolean
  /** Looks, and judges nothing; is its lock this run's? */
  look(from: Pick<Cloud, 'getRoute'>): Promise<boolean>
  /** Looks. A conflict where the lock was lost, or somebody else moved something while it was held. */
  read(): Promise<Route | undefined>
  write(memory: Memory, update?: Update, then?: 'keep' | 'release'): Promise<void>
}

/** Of an endpoint that is not there. */
const NOBODY: Memory = { project: '', environment: '', deployment: '' }

export function lockedEndpoint(id: string, options: LockOptions): LockedEndpoint {
  const { cloud, patience, run, recall, onNote, onLocked } = options
  const { clock } = patience
  const grip = createGrip()
  const moves = createForeignMoves()
  let endpoint: Route | undefined
  let wiped = false
  let seen = 0
  let renewed = 0

  const isOwn = (lock: Lock | undefined) => lock?.run === run.id
  const fresh = (): Lock => ({
    run: run.id,
    expires: Math.ceil((clock.now() + LOCK_TERM) / 1000),
    owner: run.owner,
    process: run.process,
  })

  async function look(from: Pick<Cloud, 'getRoute'>): Promise<boolean> {
    endpoint = known(await from.getRoute(id))
    seen = clock.now()
    const lock = endpoint?.memory?.lock
    return isOwn(lock)
  }

  /** With what dap remembers, where somebody took it away: this run itself while it works on it, or else the release that serves. */
  function known(live: Route | undefined): Route | undefined {
    wiped = live !== undefined && !live.intact
    if (!wiped) return live
    const last = grip.held ? endpoint?.memory : undefined
    if (last === undefined) return recall(live!)
    onNote('somebody took away labels of dap; they are put back')
    // A write of traffic may have been done, without an answer.
    return { ...live!, memory: { ...last, lock: live!.memory?.lock, traffic: undefined }, intact: true }
  }

  return {
    ...{ grip, moves, fresh, isOwn, look },
    get endpoint() {
      return endpoint
    },
    get memory() {
      return endpoint?.memory ?? NOBODY
    },
    get wiped() {
      return wiped
    },
    get seen() {
      return seen
    },
    get renewed() {
      return renewed
    },

    async read() {
      const before = endpoint
      const own = await look(cloud)
      const lock = endpoint?.memory?.lock
      // Where the lock went with all else, it was not broken.
      if (wiped && lock === undefined) grip.drop()
      const outcome = grip.sees(endpoint !== undefined, own ? 'ours' : lock === undefined ? 'nobodys' : 'theirs')
      if (outcome === 'lost') throw lost(id, lock)
      const foreign = outcome === 'kept' && before && endpoint ? moves.between(before, endpoint) : undefined
      if (foreign !== undefined) throw moved(id, foreign)
      if (outcome === 'found') {
        const expires = lock!.expires * 1000
        renewed = expires - LOCK_TERM
        onLocked(expires)
      }
      moves.looked()
      return endpoint
    },

    async write(next, update = {}, then = 'keep') {
      if (endpoint === undefined) throw new CloudError('NOT_FOUND', `endpoint \`${id}\` is gone`)
      const keep = then === 'keep'
      moves.writes(update.traffic)
      grip.writes(keep)
      const at = clock.now()
      const lock = keep ? fresh() : undefined
      endpoint = await cloud.updateRoute(endpoint, { ...update, memory: { ...next, lock } })
      grip.wrote(keep)
      wiped = false
      renewed = seen = at
    },
  }
}
