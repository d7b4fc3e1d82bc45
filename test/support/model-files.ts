import { fixture, sha256 } from './models.ts'
import { resource } from './repository.ts'

const PROJECT = resource('Project', 'shop', '{}')

/** A repository with the Model `ctr`, whose file is one of the fixtures; `spec` are the lines of its spec beside its runtime. Files are as memory has them: bytes as Latin-1. */
export function modelFiles(
  name: string,
  spec: string,
  { digest = sha256(fixture(`${name}.onnx`)), rows = true }: { readonly digest?: string; readonly rows?: boolean } = {},
): Record<string, string> {
  const runtime = `runtime:\n  type: onnx\n  file: models/ctr.onnx\n  digest: ${digest}`
  const parity = rows ? '\nparity: { file: models/ctr.parity.jsonl }' : ''
  return {
    'dap.yaml': PROJECT,
    'models/ctr.yaml': resource('Model', 'ctr', `${runtime}\n${spec}${parity}`),
    'models/ctr.onnx': fixture(`${name}.onnx`).toString('latin1'),
    ...(rows ? { 'models/ctr.parity.jsonl': fixture(`${name}.parity.jsonl`).toString() } : {}),
  }
}

/** What fills the input `x` of the fixtures, of four columns. */
export const FOUR =
  'inputs: [{ name: x, features: [{ field: level }, { field: mood }, { action: price }, { action: size }] }]'
