import { DapError } from '../errors.ts'
import type { ModelRunner } from '../host.ts'

/** Models of all kinds; what a kind needs is loaded when one of it is opened. */
export function modelRunner(): ModelRunner {
  return {
    async open(runtime, bytes) {
      if (runtime.type === 'onnx') {
        const { onnxRuntime } = await import('./onnx/onnx.ts')
        return onnxRuntime(await bytes(), runtime.digest)
      }
      throw new DapError(`models of the runtime \`${runtime.type}\` cannot be run yet`)
    },
  }
}
