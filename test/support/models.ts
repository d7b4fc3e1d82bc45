import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelOutput } from '../../src/kinds.ts'
import type { Tensor, TensorData } from '../../src/models/runtime.ts'
import { PACKAGE_ROOT } from './run-dap.ts'

/** What `test/fixtures/models/make.py` made. */
export const fixture = (file: string): Buffer => readFileSync(join(PACKAGE_ROOT, 'test/fixtures/models', file))

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Of float32 unless the data says otherwise. */
export const tensor = (rows: number, columns: number, data: TensorData | readonly number[]): Tensor => ({
  rows,
  columns,
  data: Array.isArray(data) ? Float32Array.from(data) : (data as TensorData),
})

export const VALUE: ModelOutput = { type: 'value' }

export const GAUSSIAN = (mean: object, standardDeviation: object): ModelOutput => ({
  type: 'gaussian',
  deviation: 'epistemic',
  mean: { column: 0, ...mean },
  standardDeviation: { column: 1, ...standardDeviation },
})
