import type { Signature, TensorType } from '../../models/runtime.ts'

interface ModelFile {
  readonly file: string
  readonly digest: string
}

/** A Model of a file, as far as that tells: the rest is marked. `columns` are names of the columns of its only input. */
export function modelYaml(
  name: string,
  { file, digest }: ModelFile,
  { inputs, outputs }: Signature,
  columns: readonly string[] | undefined,
): string {
  return `apiVersion: dap/v1
kind: Model
metadata:
  name: ${name}
spec:
  runtime:
    type: onnx
    file: ${text(file)}
    digest: ${digest}
  inputs:
${inputs.map(each => inputYaml(each, inputs.length === 1 ? columns : undefined)).join('')}  # Guessed: probability, logit, value, gaussian, heads or embedding?
  output: ${outputYaml(outputs)}
`
}

function inputYaml({ name, dtype, shape }: TensorType, columns: readonly string[] | undefined): string {
  const width = shape[1]
  const isNamed =
    columns !== undefined && (typeof width !== 'number' || width === columns.length) && columns.every(isField)
  const features = isNamed ? columns : ['TODO']
  const count = width === 1 ? 'its column' : typeof width === 'number' ? `the ${width} columns` : 'the columns'
  return `    - name: ${text(name)}
      dtype: ${dtype}
      # What fills ${count}, as the model was trained on it${isNamed ? ', by the names that MLflow has' : ''}.
      features:
${features.map(field => `        - { field: ${field} }\n`).join('')}`
}

const isField = (name: string) => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)

/** The likeliest use of the outputs: what is called a probability, else the first of numbers. */
function outputYaml(outputs: readonly TensorType[]): string {
  const numbers = outputs.filter(({ dtype }) => dtype === 'float32' || dtype === 'float64')
  const output = numbers.find(({ name }) => PROBABILITY.test(name)) ?? numbers[0] ?? outputs[0]
  if (output === undefined) return '{ type: value }'
  const { name, shape } = output
  const called = outputs.length > 1 ? `, name: ${text(name)}` : ''
  const columns = shape[1] ?? 1
  if (columns === 2) return `{ type: probability${called}, column: 1 }`
  if (PROBABILITY.test(name)) return `{ type: probability${called} }`
  if (typeof columns === 'string' || columns === 1) return `{ type: value${called} }`
  return EMBEDDING.test(name)
    ? `{ type: embedding${called}, width: ${columns} }`
    : `{ type: heads${called}, count: ${columns} }`
}

const PROBABILITY = /prob/i

const EMBEDDING = /embed/i

/** As YAML reads it back: JSON is YAML. */
const text = (value: string) => (/^[A-Za-z_][\w./-]*$/.test(value) ? value : JSON.stringify(value))
