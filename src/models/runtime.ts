/**
 * The port of what runs models: numbers in, numbers out. Adapters are of ONNX Runtime, in this process, and of model servers, over the network. What the
 * numbers are made of and what they mean is of this folder's other files, and of the kernel.
 */
import type { ModelInput } from '../kinds.ts'
import type { FailureReason } from '../policy/model-outputs.ts'

export type { FailureReason }

export type Dtype = ModelInput['dtype']

/** A matrix, row by row; of an input as the Model types it, of an output as the model gave it. */
export interface Tensor {
  readonly rows: number
  readonly columns: number
  readonly data: TensorData
}

/** `bool` is 0 or 1 in a Uint8Array. */
export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array

/** What a model says of one of its inputs or outputs. */
export interface TensorType {
  readonly name: string
  /** As the runtime calls it, where it is none of ours: `float16`, `string`. */
  readonly dtype: Dtype | (string & {})
  /** A name or null for what is not fixed, such as how many rows there are. */
  readonly shape: readonly (number | string | null)[]
}

export interface Signature {
  readonly inputs: readonly TensorType[]
  readonly outputs: readonly TensorType[]
}

export interface Runtime {
  /** What is known of it beside the Model, for records and tables: `onnxruntime 1.30.0`. */
  readonly about: string
  /** What the model itself says of what goes in and comes out; undefined where it does not, as of some servers. A ModelFailure where nobody answers. */
  signature(signal: AbortSignal): Promise<Signature | undefined>
  /**
   * One call: the inputs by the names that the Model gives them, all of so many rows; the outputs by theirs. Rejects with a ModelFailure and with nothing
   * else, whatever came back; with `timeout` as soon as the signal is aborted.
   */
  run(inputs: ReadonlyMap<string, Tensor>, signal: AbortSignal): Promise<ReadonlyMap<string, Tensor>>
  /** Would it answer? Never rejects. */
  ready(signal: AbortSignal): Promise<boolean>
  close(): Promise<void>
}

/** Why there are no scores. */
export class ModelFailure extends Error {
  readonly reason: FailureReason
  /** The same call may succeed a moment later: nobody was there, or the server says that it has failed. What it says of these inputs stays. */
  readonly transient: boolean
  constructor(reason: FailureReason, message: string, { transient = reason === 'unreachable' } = {}) {
    super(message)
    this.reason = reason
    this.transient = transient
  }
}
