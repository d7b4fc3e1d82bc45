import type { Host } from '../../host.ts'
import { isMapping } from '../../repo/schema.ts'
import { parseSource } from '../../repo/source.ts'

/** What MLflow calls the file that says what a folder has of a model. */
export const MLMODEL = 'MLmodel'

interface MlModel {
  /** Of the flavour `onnx`: its file, from the folder; undefined where there is none. */
  readonly data?: string
  /** The names of the columns, in their order, where its signature has any: a tensor has none. */
  readonly columns?: readonly string[]
}

/** What there is in it that helps; anything else is nothing. */
export async function readMlModel(host: Host, path: string): Promise<MlModel> {
  const { documents } = await parseSource({ path, text: await host.files.read(path) })
  const value = documents[0]?.value
  if (!isMapping(value)) return {}
  const onnx = isMapping(value.flavors) ? value.flavors.onnx : undefined
  const data = isMapping(onnx) && typeof onnx.data === 'string' ? { data: onnx.data } : {}
  const inputs = isMapping(value.signature) ? value.signature.inputs : undefined
  return { ...data, ...(typeof inputs === 'string' ? columnsOf(inputs) : {}) }
}

/** A signature is JSON in YAML: `[{"name": "level", "type": "double"}]`. */
function columnsOf(json: string): Pick<MlModel, 'columns'> {
  try {
    const inputs: unknown = JSON.parse(json)
    if (!Array.isArray(inputs)) return {}
    const names = inputs.map(each => (isMapping(each) && each.type !== 'tensor' ? each.name : undefined))
    return names.every(each => typeof each === 'string') ? { columns: names } : {}
  } catch {
    return {}
  }
}
