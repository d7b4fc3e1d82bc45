import type { ModelCurve } from '../../kinds.ts'
import type { Signature } from '../../models/runtime.ts'
import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { modelRules } from '../rules/model.ts'
import type { CellFault } from '../sets/read-set.ts'
import type { ModelReading } from './read-model.ts'

/** Reads the files of a Model. */
export type ReadModel = (model: Resource<'Model'>) => Promise<ModelReading>

/** What became of the Models, by name: what of their files a policy takes in, or the files that keep it from being known. */
export type Models = ReadonlyMap<string, KnownModel | { readonly files: readonly string[] }>

export interface KnownModel {
  readonly model: Resource<'Model'>
  readonly curve?: ModelCurve
  /** What its file says of itself. */
  readonly signature?: Signature
}

interface Report {
  fault(model: Resource, fault: Fault): void
  cell(file: string, fault: CellFault): void
}

/** Reads every Model's files, each once. One that is wrong in itself is not looked into: its rules tell why. */
export async function readModels(
  models: readonly Resource<'Model'>[],
  repository: Lookup,
  read: ReadModel,
  report: Report,
): Promise<Models> {
  const known = new Map<string, KnownModel | { readonly files: readonly string[] }>()
  for (const model of models) {
    const { name, file: own } = model
    if (known.has(name)) continue
    if ([...modelRules(model, repository)].some(({ severity }) => severity !== 'warning')) {
      known.set(name, { files: [own] })
      continue
    }
    const { faults, cells, curve, graph } = await read(model)
    for (const fault of faults) report.fault(model, fault)
    for (const { file, fault } of cells) report.cell(file, fault)
    if (faults.length + cells.length > 0) {
      known.set(name, { files: [...new Set([...(faults.length > 0 ? [own] : []), ...cells.map(({ file }) => file)])] })
      continue
    }
    known.set(name, {
      model,
      ...(curve === undefined ? {} : { curve }),
      ...(graph === undefined ? {} : { signature: graph.signature }),
    })
  }
  return known
}
