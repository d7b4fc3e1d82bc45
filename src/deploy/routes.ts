/**
 * The port to where things are deployed: releases on routes. A route is an endpoint with its traffic by workload, and what dap remembers of it;
 * a workload is a release on its machines; a release is an artefact and an image, with all that cannot change. A call that reads or writes is one
 * request, which who calls tries again; one that takes its time returns when that is done.
 */
import type { Place, RequestLog, Scale, Traffic } from '../generated/types.ts'
import type { Facts, Identity, Memory } from './memory.ts'
import type { Parts } from './parts.ts'
import type { Patience, Waiting } from './patience.ts'

export type { Place, RequestLog, Scale, Traffic } from '../generated/types.ts'

export interface Cloud extends Routes, Workloads, Releases, Artefacts, Measurements {
  readonly place: Place
  /** The same, where every read is tried until it is answered or that is hopeless; without a patience, once. */
  patiently(patience: Patience | undefined): Cloud
  /** Waits for what goes on at them, whoever has begun it: another process, or a call whose answer was lost. How it ends, a look tells. */
  settle(at: { readonly route: string; readonly shelf: string }, waiting: Waiting): Promise<void>
}

export interface Routes {
  /** All of the place: what is remembered may have been taken away, so it does not choose. A list call, whatever their number. */
  listRoutes(): Promise<readonly Route[]>
  getRoute(id: string): Promise<Route | undefined>
  /** Without traffic. ALREADY_EXISTS where the id is taken, also by one that is still being created. */
  createRoute(id: string, route: NewRoute, waiting: Waiting): Promise<void>
  /** One write, whole or not at all. ABORTED where the route is another than was read by now. What is absent stays as it is. */
  updateRoute(read: Route, update: RouteUpdate): Promise<Route>
  /** FAILED_PRECONDITION while it has a workload. */
  deleteRoute(id: string, waiting: Waiting): Promise<void>
}

export interface Workloads {
  /** Without traffic: the route's stays as it is. ALREADY_EXISTS where the route has a workload of that id. Ready when it returns. */
  startWorkload(route: string, workload: NewWorkload, waiting: Waiting): Promise<void>
  scaleWorkload(route: string, workload: string, scale: Scale, waiting: Waiting): Promise<void>
  /** FAILED_PRECONDITION while it has traffic, unless it is the last one. */
  stopWorkload(route: string, workload: string, waiting: Waiting): Promise<void>
}

/** What workloads are started from, and what is known of it once they and their route are gone: a shelf for each deployment. */
export interface Releases {
  /** The current ones of all shelves of the place. */
  listReleases(): Promise<readonly Release[]>
  /** All of one shelf, oldest first; none where there is no such shelf. */
  releasesOf(shelf: string): Promise<readonly Release[]>
  /** The first one of a shelf is its current one. */
  addRelease(shelf: string, release: NewRelease, waiting: Waiting): Promise<void>
  /** Writes down something of it. ABORTED where it is another than was read by now. What is absent stays as it is. */
  noteRelease(read: Release, note: ReleaseNote): Promise<void>
  setCurrent(shelf: string, release: string): Promise<void>
  /** FAILED_PRECONDITION while a workload is of it, and for the last one of a shelf. */
  deleteRelease(shelf: string, release: string, waiting: Waiting): Promise<void>
  deleteShelf(shelf: string, waiting: Waiting): Promise<void>
}

/** Files of the place, by their content: a name never gets another text. */
export interface Artefacts {
  /** Writes it unless it is there. */
  putArtefact(name: string, text: string): Promise<void>
  listArtefacts(prefix: string): Promise<readonly string[]>
  /** The text, where it has at most that many bytes; undefined where there is none, or a larger one. */
  getArtefact(name: string, maxBytes: number): Promise<string | undefined>
  deleteArtefact(name: string): Promise<void>
}

export interface Measurements {
  /** What one workload answered between two times, in ms since 1970; lags behind by minutes on a real cloud. */
  measure(route: string, workload: string, from: number, to: number): Promise<RequestMetrics>
}

export interface Route extends RouteSettings {
  readonly id: string
  /** Another after every write, by whomever. */
  readonly version: string
  /** undefined where nothing says whose it is. */
  readonly memory: Memory | undefined
  /** Whether that is whole, as dap wrote it last: others may edit it, or take it away. */
  readonly intact: boolean
  /** Workload's id → percent; sums to 100, or is empty. */
  readonly traffic: Traffic
  /** Only those that are ready: one that is being started is not among them yet. */
  readonly workloads: readonly Workload[]
  /** Of its own; null for a shared one. */
  readonly host: string | null
  /** As the target has written down what is remembered, and what others wrote beside it: for its adapter alone. */
  readonly raw: Raw
}

export type Raw = Readonly<Record<string, string>>

export interface RouteSettings {
  readonly displayName: string
  readonly description: string
  readonly dedicated: boolean
  readonly requestLog: RequestLog | null
}

export interface NewRoute extends RouteSettings {
  readonly memory: Memory
}

/** `memory` and `traffic` are whole. */
export interface RouteUpdate extends Partial<Omit<RouteSettings, 'dedicated'>> {
  readonly memory?: Memory
  /** In its place: the lock is taken away, and all else stays as it is, whole or not. */
  readonly unlock?: true
  readonly traffic?: Traffic
}

/** What a workload cannot change while it runs, and its scale, which it can. */
export interface NewWorkload {
  /** 1 to 10 digits, chosen by the caller: the key that makes a second try harmless. */
  readonly id: string
  readonly displayName: string
  readonly shelf: string
  readonly release: string
  readonly machineType: string
  /** null: the place's default. */
  readonly serviceAccount: string | null
  readonly scale: Scale
}

export interface Workload extends NewWorkload {
  /** ms since 1970 */
  readonly created: number
  /** Replicas that serve now, where the target says so. */
  readonly available: number | null
}

export interface Release {
  readonly shelf: string
  /** A number, counted on each shelf. */
  readonly id: string
  /** The one that its shelf is known by: it keeps what is remembered of the route, once more. */
  readonly current: boolean
  readonly displayName: string
  /** ms since 1970 */
  readonly created: number
  /** undefined where nothing says whose it is. */
  readonly whose: Identity | undefined
  /** `Desired.model.digest`, where that is known. */
  readonly digest: string | undefined
  /** undefined for one that dap has not made. */
  readonly parts: Parts | undefined
  /** What it remembers of the route that it serves on, which proves whose that is. */
  readonly copy: Copy | undefined
  /** Whether that is whole, as dap wrote it last. */
  readonly intact: boolean
  /** That it was rolled back it says itself, and for ever. */
  readonly held: Held
  /** As in `Route`. */
  readonly raw: Raw
  /** Another after every write to its shelf. */
  readonly version: string
}

export interface Copy {
  readonly route: string
  readonly facts: Facts
}

export interface Held {
  /** For what it decides. */
  readonly whole: boolean
  /** For their machines: ids of workloads. */
  readonly workloads: readonly string[]
}

export interface NewRelease {
  readonly displayName: string
  readonly description: string
  readonly whose: Identity
  readonly parts: Parts
  /** As `Facts.commit`. */
  readonly commit: string | null
  readonly image: string
  /** `gs://bucket/folder` of the bundle. */
  readonly artifact: string
  readonly predictRoute: string
  readonly healthRoute: string
  readonly port: number
  /** Arguments of the image's entry point. */
  readonly args: readonly string[]
}

/** `copy` and `held` are whole. */
export interface ReleaseNote {
  readonly whose?: Identity
  readonly parts?: Parts
  readonly copy?: Copy
  readonly held?: Held
}

/** Over a window of time. */
export interface RequestMetrics {
  readonly requests: number
  readonly errors: number
  /** Requests whose latency was in a bucket: its upper bound in ms (the last is +∞), and how many. */
  readonly latency: readonly { readonly upToMs: number; readonly count: number }[]
}
