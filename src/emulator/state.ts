import { hash } from 'node:crypto'
import type { Json, JsonObject, StateStore } from './ports.ts'

/** An Endpoint as answers show it. Documents are replaced, never changed: what was saved or answered stays what it was. */
export interface EndpointDoc extends JsonObject {
  readonly name: string
  readonly displayName: string
  readonly etag: string
  readonly createTime: string
  readonly updateTime: string
  readonly labels: Labels
  readonly trafficSplit: Split
  readonly deployedModels: readonly DeployedModelDoc[]
}

export type Labels = Readonly<Record<string, string>>
/** Deployed model's id → percent. */
export type Split = Readonly<Record<string, number>>

export interface DeployedModelDoc extends JsonObject {
  readonly id: string
  /** Without the version, which `modelVersionId` says. */
  readonly model: string
  readonly modelVersionId: string
  readonly displayName: string
  readonly dedicatedResources: Resources
}

export interface Resources extends JsonObject {
  readonly machineSpec: JsonObject & { readonly machineType: string }
  readonly minReplicaCount: number
  readonly maxReplicaCount: number
}

/** A model with all its versions; `versionAnswer` of `vertex/models.ts` shows one of them. */
export interface ModelDoc extends JsonObject {
  readonly name: string
  readonly displayName: string
  readonly description: string
  readonly labels: Labels
  readonly etag: string
  readonly createTime: string
  readonly updateTime: string
  /** The highest number that was ever given. */
  readonly lastVersion: number
  readonly versions: Readonly<Record<string, VersionDoc>>
}

export interface VersionDoc extends JsonObject {
  readonly versionId: string
  readonly versionAliases: readonly string[]
  readonly versionDescription: string
  readonly versionCreateTime: string
  readonly versionUpdateTime: string
  readonly labels: Labels
  readonly containerSpec: JsonObject
  readonly artifactUri: string
}

export interface OperationDoc extends JsonObject {
  readonly name: string
  /** Short name of the method that began it, which names its job. */
  readonly method: string
  /** The endpoint or model that it works on. */
  readonly target: string
  /** What the job needs to know, resolved when the request was accepted. */
  readonly work: JsonObject
  readonly createTime: string
  readonly updateTime: string
  /** Index of the step that runs. */
  readonly step: number
  readonly stage?: string
  readonly done: boolean
  /** Somebody has asked to cancel it. */
  readonly cancelling?: boolean
  readonly error?: JsonObject
  readonly response?: JsonObject
  /** Times are multiplied by it; above 1 where a fault slows the operation. */
  readonly factor: number
  /** A fault that this operation fails with. */
  readonly fault?: string
}

/** Everything that the control plane knows; saved as one document. */
export interface State {
  /** Project id → number. */
  readonly numbers: Map<string, string>
  readonly endpoints: Map<string, EndpointDoc>
  readonly models: Map<string, ModelDoc>
  readonly operations: Map<string, OperationDoc>
  /** Counts up with every id and etag, so that none comes twice. */
  serial: number
}

export async function loadState(store: StateStore): Promise<State> {
  const saved = ((await store.load()) ?? {}) as { readonly [K in keyof State]?: Json }
  const map = <T>(value: Json | undefined) => new Map(Object.entries((value ?? {}) as Readonly<Record<string, T>>))
  return {
    numbers: map(saved.numbers),
    endpoints: map(saved.endpoints),
    models: map(saved.models),
    operations: map(saved.operations),
    serial: (saved.serial as number | undefined) ?? 0,
  }
}

/** The result saves what the state is by then: one write at a time, and one for everybody who came while it ran. */
export function saver(state: State, store: StateStore): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  const save = () => {
    next = undefined
    return store.save({
      numbers: Object.fromEntries(state.numbers),
      endpoints: Object.fromEntries(state.endpoints),
      models: Object.fromEntries(state.models),
      operations: Object.fromEntries(state.operations),
      serial: state.serial,
    })
  }
  return () => {
    next ??= running = running.then(save, save)
    return next
  }
}

/** A number of that many digits, the first of which is not 0. */
export function digits(count: number, ...seed: readonly (string | number)[]): string {
  const number = BigInt(`0x${hash('sha256', JSON.stringify(seed), 'hex').slice(0, 24)}`)
  const least = 10n ** BigInt(count - 1)
  return String(least + (number % (9n * least)))
}

/** Uniform on [0, 1). */
export function uniform(...seed: readonly (string | number)[]): number {
  return Number.parseInt(hash('sha256', JSON.stringify(seed), 'hex').slice(0, 13), 16) / 2 ** 52
}
