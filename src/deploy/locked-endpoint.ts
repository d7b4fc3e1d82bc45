/** An endpoint as one run reads and writes it, with the lock in its labels. */
import { type Cloud, CloudError, type Endpoint, type EndpointUpdate } from './cloud.ts'
import { lost, moved } from './conflict.ts'
import { createForeignMoves, type ForeignMoves } from './foreign-moves.ts'
import { createGrip, type Grip } from './grip.ts'
import { areIntact, decodeLabels, type EndpointLabels, encodeLabels, type LockLabel } from './labels.ts'
import type { LockOptions } from './lock.ts'

/** ms; renewed at a third. */
export const LOCK_TERM = 900_000

/** What `write` changes beside labels. */
export type Update = Omit<EndpointUpdate, 'etag' | 'labels'>

export interface LockedEndpoint {
  readonly grip: Grip
  readonly moves: ForeignMoves
  /** As last read or written. */
  readonly endpoint: Endpoint | undefined
  readonly labels: EndpointLabels
  /** Somebody took dap's labels away: what `endpoint` has of them is from memory. */
  readonly wiped: boolean
  /** When it was last read or written, and the lock written; ms since 1970. */
  readonly seen: number
  readonly renewed: number
  /** The lock of this run, as it would be written now. */
  fresh(): LockLabel
  isOwn(lock: LockLabel | undefined): boolean
  /** Looks, and judges nothing; is its lock this run's? */
  look(from: Pick<Cloud, 'getEndpoint'>): Promise<boolean>
  /** Looks. A conflict where the lock was lost, or somebody else moved something while it was held. */
  read(): Promise<Endpoint | undefined>
  write(labels: EndpointLabels, update?: Update, then?: 'keep' | 'release'): Promise<void>
}

/** Of an endpoint that is not there. */
const NOBODY: EndpointLabels = { project: '', environment: '', deployment: '' }

export function lockedEndpoint(id: string, options: LockOptions): LockedEndpoint {
  const { cloud, patience, run, recall, onNote, onLocked } = options
  const { clock } = patience
  const grip = createGrip()
  const moves = createForeignMoves()
  let endpoint: Endpoint | undefined
  let wiped = false
  let seen = 0
  let renewed = 0

  const decoded = () => decodeLabels(endpoint?.labels ?? {})
  const isOwn = (lock: LockLabel | undefined) => lock?.run === run.id
  const fresh = (): LockLabel => ({
    run: run.id,
    expires: Math.ceil((clock.now() + LOCK_TERM) / 1000),
    owner: run.owner,
    process: run.process,
  })

  async function look(from: Pick<Cloud, 'getEndpoint'>): Promise<boolean> {
    endpoint = known(await from.getEndpoint(id))
    seen = clock.now()
    const lock = decoded().ours?.lock
    return isOwn(lock)
  }

  /** With what dap remembers, where somebody took its labels away: this run itself while it works on it, or else the model. */
  function known(live: Endpoint | undefined): Endpoint | undefined {
    wiped = live !== undefined && !areIntact(live.labels)
    if (!wiped) return live
    const last = grip.held ? decoded().ours : undefined
    if (last === undefined) return recall(live!)
    onNote('somebody took away labels of dap; they are put back')
    return withLabels(live!, last)
  }

  return {
    ...{ grip, moves, fresh, isOwn, look },
    get endpoint() {
      return endpoint
    },
    get labels() {
      return decoded().ours ?? NOBODY
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
      const lock = decoded().ours?.lock
      // Where the lock went with the labels, it was not broken.
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
      endpoint = await cloud.updateEndpoint(id, {
        ...update,
        etag: endpoint.etag,
        labels: encodeLabels({ ...next, lock: keep ? fresh() : undefined }, decoded().foreign),
      })
      grip.wrote(keep)
      wiped = false
      renewed = seen = at
    },
  }
}

/** An endpoint with the labels that a run remembers, and the lock that it has. A write of traffic may have been done, without an answer. */
function withLabels(live: Endpoint, last: EndpointLabels): Endpoint {
  const { ours, foreign } = decodeLabels(live.labels)
  return { ...live, labels: encodeLabels({ ...last, lock: ours?.lock, traffic: undefined }, foreign) }
}
