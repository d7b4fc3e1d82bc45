import { CloudError, type Status, WorkFailed } from '../../src/deploy/cloud-error.ts'
import { FACT_NAMES, type Memory } from '../../src/deploy/memory.ts'
import { attempt, type Clock, type Patience, type Waiting } from '../../src/deploy/patience.ts'
import { readPatiently } from '../../src/deploy/reads.ts'
import type { Cloud, Release, RequestMetrics, Route, RouteUpdate, Workload } from '../../src/deploy/routes.ts'
import type { Rng } from '../../src/math/rng.ts'
import { type Harm, harmable } from './faults.ts'
import { PLACE, virtualClock } from './memory-vertex.ts'

/** ms that things take. */
const TAKES = { create: 3_000, add: 1_000, start: 120_000, stop: 30_000, scale: 60_000, remove: 5_000 }

const READS = [
  'listRoutes',
  'getRoute',
  'listReleases',
  'releasesOf',
  'listArtefacts',
  'getArtefact',
  'measure',
] as const

const NOTHING: RequestMetrics = { requests: 0, errors: 0, latency: [] }

interface Work {
  readonly name: string
  readonly on: string
  readonly ends: number
  finish(): void
  done: boolean
  failed?: CloudError
}

export interface PlainCloud {
  readonly cloud: Cloud
  readonly clock: Clock
  /** The next workload to be started never becomes ready. */
  failNextDeployment(): void
  edit(route: string, text: string): Promise<void>
  wipe(route: string, rng: Rng): Promise<void>
}

/**
 * The rules of the port as plainly as they can be written, of a target that is nothing like Vertex AI: what is remembered is kept as it is,
 * a release is added by writing it down, and nothing has operations, labels or aliases. What has begun goes on whoever waits for it.
 */
export function plainCloud(clock: Clock = virtualClock()): PlainCloud {
  const routes = new Map<string, Route>()
  const shelves = new Map<string, readonly Release[]>()
  const added = new Map<string, number>()
  const artefacts = new Map<string, string>()
  const works: Work[] = []
  let unready = 0
  let writes = 0

  /** Lets everything happen that has happened by now. */
  const settle = () => {
    const due = works.filter(({ done, ends }) => !done && ends <= clock.now())
    for (const work of due.sort((a, b) => a.ends - b.ends)) {
      work.done = true
      try {
        work.finish()
      } catch (error) {
        if (!(error instanceof CloudError)) throw error
        work.failed = error
      }
    }
  }
  /** Time passes first, and nothing that is handed out is shared. */
  const answer = async <T>(body: () => T): Promise<T> => {
    await Promise.resolve()
    settle()
    return structuredClone(body())
  }
  const goesOn = (name: string) => works.some(work => work.name === name && !work.done)

  const routeOf = (id: string) => routes.get(id) ?? refuse('NOT_FOUND', `there is no route \`${id}\``)
  const put = (route: Route) => {
    const written = { ...route, version: `v${++writes}` }
    routes.set(route.id, written)
    return written
  }
  const shelfOf = (shelf: string) => shelves.get(shelf) ?? refuse('NOT_FOUND', `there is no shelf \`${shelf}\``)
  const putShelf = (shelf: string, releases: readonly Release[]) => {
    const version = `v${++writes}`
    shelves.set(
      shelf,
      releases.map(each => ({ ...each, version })),
    )
  }
  const workloadOf = (route: Route, id: string) =>
    route.workloads.find(each => each.id === id) ?? refuse('NOT_FOUND', `\`${route.id}\` has no workload \`${id}\``)
  const isDeployed = (shelf: string, release?: string) =>
    [...routes.values()].some(({ workloads }) =>
      workloads.some(each => each.shelf === shelf && (release === undefined || each.release === release)),
    )

  /** The cloud whose requests `harm` lets through, or not. */
  const cloudOf = (harm: Harm, patience?: Patience): Cloud => {
    const request = <T>(name: string, body: () => T): Promise<T> => harm(name, () => answer(body))
    const look = <T>(body: () => T) =>
      patience === undefined ? request('look', body) : attempt(() => request('look', body), patience)
    const wait = async (work: Work, waiting: Waiting): Promise<void> => {
      waiting.begun(work.name)
      while (!(await look(() => work.done))) await waiting.pause()
    }
    /** One request begins it; then it goes on by itself. */
    const begin = async (on: string, name: string, ms: number, check: () => () => void, waiting: Waiting) => {
      const work = { name, on, done: false } as Work
      await request(name.split(' ')[0], () => {
        if (goesOn(name)) refuse('ALREADY_EXISTS', `${name}: it goes on`)
        works.push(Object.assign(work, { finish: check(), ends: clock.now() + ms }))
      })
      await wait(work, waiting)
      if (work.failed !== undefined) throw new WorkFailed(work.failed.status, work.failed.message)
    }
    const once: Cloud = {
      place: PLACE,
      patiently: another => cloudOf(harm, another),
      async settle({ route, shelf }, waiting) {
        const all = () => works.flatMap(({ done, on }, i) => (!done && (on === route || on === shelf) ? i : []))
        for (const i of await look(all)) await wait(works[i], waiting)
      },

      listRoutes: () => request('listRoutes', () => [...routes.values()]),
      getRoute: id => request('getRoute', () => routes.get(id)),
      createRoute(id, route, waiting) {
        const check = () => {
          if (routes.has(id)) refuse('ALREADY_EXISTS', `there is a route \`${id}\` already`)
          const empty = { version: '', intact: true, traffic: {}, workloads: [], host: null, raw: {} }
          const made = { ...structuredClone(route), ...empty, id }
          return () => void put(made)
        }
        return begin(id, `create ${id}`, TAKES.create, check, waiting)
      },
      updateRoute: ({ id, version }, { memory, unlock, ...update }) =>
        request('updateRoute', () => {
          const route = routeOf(id)
          if (route.version !== version) refuse('ABORTED', `\`${id}\` is another by now`)
          if (update.traffic !== undefined) checkTraffic(route, update.traffic)
          const remembered: Partial<Route> = unlock
            ? { memory: route.memory && told({ ...route.memory, lock: undefined }) }
            : memory === undefined
              ? {}
              : { memory: told(structuredClone(memory)), intact: true }
          return put({ ...route, ...structuredClone(update), ...remembered })
        }),
      deleteRoute(id, waiting) {
        const check = () => {
          if (routeOf(id).workloads.length > 0) refuse('FAILED_PRECONDITION', `\`${id}\` has workloads`)
          return () => void routes.delete(id)
        }
        return begin(id, `delete ${id}`, TAKES.remove, check, waiting)
      },

      startWorkload(id, workload, waiting) {
        const check = () => {
          if (routeOf(id).workloads.some(each => each.id === workload.id)) refuse('ALREADY_EXISTS', workload.id)
          if (!shelfOf(workload.shelf).some(each => each.id === workload.release)) refuse('NOT_FOUND', workload.release)
          const ready = unready === 0
          if (!ready) unready--
          return () => {
            if (!ready) refuse('FAILED_PRECONDITION', 'the workload never became ready')
            const route = routeOf(id)
            const made: Workload = { ...structuredClone(workload), created: clock.now(), available: 1 }
            put({ ...route, workloads: [...route.workloads, made] })
          }
        }
        return begin(id, `start ${workload.id} at ${id}`, TAKES.start, check, waiting)
      },
      scaleWorkload(id, workload, scale, waiting) {
        const check = () => {
          workloadOf(routeOf(id), workload)
          return () => {
            const route = routeOf(id)
            put({
              ...route,
              workloads: route.workloads.map(each => (each.id === workload ? { ...each, scale } : each)),
            })
          }
        }
        return begin(id, `scale ${workload} at ${id}`, TAKES.scale, check, waiting)
      },
      stopWorkload(id, workload, waiting) {
        const check = () => {
          const { workloads, traffic } = routeOf(id)
          workloadOf(routeOf(id), workload)
          if ((traffic[workload] ?? 0) > 0 && workloads.length > 1) refuse('FAILED_PRECONDITION', 'it has traffic')
          return () => {
            const { [workload]: _, ...others } = routeOf(id).traffic
            const left = routeOf(id).workloads.filter(each => each.id !== workload)
            put({ ...routeOf(id), workloads: left, traffic: left.length === 0 ? {} : others })
          }
        }
        return begin(id, `stop ${workload} at ${id}`, TAKES.stop, check, waiting)
      },

      listReleases: () =>
        request('listReleases', () => [...shelves.values()].flatMap(all => all.filter(({ current }) => current))),
      releasesOf: shelf => request('releasesOf', () => shelves.get(shelf) ?? []),
      addRelease(shelf, { displayName, whose, parts }, waiting) {
        const said = structuredClone({ whose, parts })
        const check = () => () => {
          const others = shelves.get(shelf) ?? []
          // Numbers are never given twice, also when a release is gone.
          const id = String((added.get(shelf) ?? 0) + 1)
          added.set(shelf, Number(id))
          const made = {
            shelf,
            id,
            current: others.length === 0,
            displayName,
            created: clock.now(),
            version: '',
            raw: {},
          }
          const unsaid = { copy: undefined, intact: false, held: { whole: false, workloads: [] } }
          putShelf(shelf, [...others, { ...made, ...said, ...unsaid, digest: parts.digest }])
        }
        return begin(shelf, `add ${parts.digest} to ${shelf}`, TAKES.add, check, waiting)
      },
      noteRelease: ({ shelf, id, version }, { whose, parts, copy, held }) =>
        request('noteRelease', () => {
          const releases = shelfOf(shelf)
          const found = releases.find(each => each.id === id) ?? refuse('NOT_FOUND', `no release ${id} on \`${shelf}\``)
          if (found.version !== version) refuse('ABORTED', `\`${shelf}\` is another by now`)
          const noted: Release = {
            ...found,
            ...(whose && { whose: { ...found.whose, ...whose } }),
            ...(parts && { parts, digest: parts.digest }),
            ...(copy && { copy, intact: true }),
            ...(held && { held }),
          }
          putShelf(
            shelf,
            releases.map(each => (each === found ? structuredClone(noted) : each)),
          )
        }),
      setCurrent: (shelf, id) =>
        request('setCurrent', () => {
          if (!shelfOf(shelf).some(each => each.id === id)) refuse('NOT_FOUND', `no release ${id} on \`${shelf}\``)
          putShelf(
            shelf,
            shelfOf(shelf).map(each => ({ ...each, current: each.id === id })),
          )
        }),
      deleteRelease(shelf, id, waiting) {
        const check = () => {
          const { current } = shelfOf(shelf).find(each => each.id === id) ?? refuse('NOT_FOUND', id)
          if (current || isDeployed(shelf, id)) refuse('FAILED_PRECONDITION', 'it is in use')
          return () => {
            const left = shelfOf(shelf).filter(each => each.id !== id)
            putShelf(shelf, left)
          }
        }
        return begin(shelf, `delete ${id} of ${shelf}`, TAKES.remove, check, waiting)
      },
      deleteShelf(shelf, waiting) {
        const check = () => {
          shelfOf(shelf)
          if (isDeployed(shelf)) refuse('FAILED_PRECONDITION', 'it is deployed')
          return () => void shelves.delete(shelf)
        }
        return begin(shelf, `delete ${shelf}`, TAKES.remove, check, waiting)
      },

      putArtefact: (name, text) =>
        request('putArtefact', () => void (artefacts.has(name) || artefacts.set(name, text))),
      listArtefacts: prefix =>
        request('listArtefacts', () => [...artefacts.keys()].filter(name => name.startsWith(prefix)).sort()),
      getArtefact: (name, maxBytes) =>
        request('getArtefact', () => {
          const text = artefacts.get(name)
          return text === undefined || Buffer.byteLength(text) > maxBytes ? undefined : text
        }),
      deleteArtefact: name => request('deleteArtefact', () => void artefacts.delete(name)),
      measure: () => request('measure', () => NOTHING),
    }
    const cloud = patience === undefined ? once : readPatiently(once, READS, patience)
    harmable.set(cloud, another => cloudOf(another))
    return cloud
  }
  const cloud = cloudOf((_, call) => call())
  return {
    cloud,
    clock,
    failNextDeployment: () => void unready++,
    edit: (id, text) =>
      answer(() => {
        const route = routes.get(id)
        if (route !== undefined) put({ ...route, raw: { team: text } })
      }),
    wipe: (id, rng) =>
      answer(() => {
        const route = routeOf(id)
        put({ ...route, memory: rng.uniform() < 0.5 ? undefined : partly(route.memory, rng), intact: false })
      }),
  }
}

function refuse(status: Status, message: string): never {
  throw new CloudError(status, message)
}

function checkTraffic({ workloads }: Route, traffic: NonNullable<RouteUpdate['traffic']>): void {
  const shares = Object.entries(traffic)
  const known = shares.every(([id]) => workloads.some(each => each.id === id))
  const sum = shares.reduce((total, [, share]) => total + share, 0)
  if (shares.length > 0 && !(known && sum === 100)) refuse('INVALID_ARGUMENT', `traffic: ${JSON.stringify(traffic)}`)
}

/** Without some of it. */
function partly(memory: Memory | undefined, rng: Rng): Memory | undefined {
  const gone = FACT_NAMES.filter(() => rng.uniform() < 0.2)
  return memory && told({ ...memory, ...Object.fromEntries(gone.map(name => [name, undefined])) })
}

const told = <T extends object>(memory: T): T =>
  Object.fromEntries(Object.entries(memory).filter(([, value]) => value !== undefined)) as T
