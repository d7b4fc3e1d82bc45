import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { filePath } from './common.ts'

/** What a Model says beside its files, of which `src/repo/models/` sees what is in them. */
export function* modelRules({ spec }: Resource<'Model'>, repository: Lookup): Generator<Fault> {
  const { runtime, calibration, parity } = spec
  if (runtime.type === 'onnx') yield* filePath(runtime.file, ['spec', 'runtime', 'file'], repository)
  if (calibration !== undefined) yield* filePath(calibration.file, ['spec', 'calibration', 'file'], repository)
  if (parity !== undefined) yield* filePath(parity.file, ['spec', 'parity', 'file'], repository)
}
