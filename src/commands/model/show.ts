import { defineCommand } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import { MODEL_SHOW_RESULT_SCHEMA } from '../../generated/names.ts'
import type { ModelRuntime } from '../../kinds.ts'
import type { OnnxGraph } from '../../models/onnx-graph.ts'
import { modelsOf } from '../../policy/model-outputs.ts'
import type { FoundModel, ModelShowResult } from '../../results.ts'
import { modelShowText } from '../../ui/model.ts'
import { openRepository, requireResource } from '../opening/repository.ts'

export const modelShowCommand = defineCommand<{ readonly name: string | undefined }, ModelShowResult>({
  declare: command =>
    command
      .argument('[model]', 'a Model; default: the only one')
      .addHelpText(
        'after',
        '\nReads the file of the model, and runs nothing.\n\nexit codes: 0 shown, whatever is wrong with it, 1 its resource cannot be read, 3 usage',
      ),

  options: ([name]) => ({ name }),

  async run({ name: wanted }, host) {
    const opened = await openRepository(host)
    const model = requireResource(opened, 'Model', wanted)
    const { name, file, spec } = model
    const { runtime, inputs, output, listwise, calibration } = spec
    const { graph, rows, faults, cells } = await opened.readers.readModel(model)
    const users = opened.repository
      .all('Policy')
      .filter(policy => modelsOf(policy.spec).some(each => each.name === name))
    return {
      ...{ schema: MODEL_SHOW_RESULT_SCHEMA, name, file, runtime: runtime.type, listwise },
      at: placeOf(runtime),
      digest: runtime.digest ?? null,
      inputs: inputs.map(({ name, dtype, features }) => ({ name, dtype, features: features.length })),
      output: output.type,
      calibration: calibration?.type ?? null,
      parity: rows?.length ?? null,
      found: graph === undefined ? null : foundModel(graph),
      policies: users.map(each => each.name).sort(),
      errors: faults.length + cells.length,
    }
  },

  text: modelShowText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

function placeOf(runtime: ModelRuntime): string {
  switch (runtime.type) {
    case 'onnx':
      return runtime.file
    case 'vertex':
      return runtime.endpoint
    default:
      return `${runtime.url}, ${runtime.model}`
  }
}

const foundModel = ({ producer, irVersion, opsets, operators, signature, metadata }: OnnxGraph): FoundModel => ({
  ...{ producer, irVersion, inputs: signature.inputs, outputs: signature.outputs },
  opsets: Object.fromEntries([...opsets].map(([domain, version]) => [domain === '' ? 'ai.onnx' : domain, version])),
  operators: Object.fromEntries(operators),
  metadata: Object.fromEntries(metadata),
})
