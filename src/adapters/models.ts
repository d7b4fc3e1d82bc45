import type { ModelRunner } from '../host.ts'
import { partsOf } from '../models/select.ts'

/** Models of all kinds; what a kind needs is loaded when one of it is opened. */
export function modelRunner(): ModelRunner {
  return {
    async open({ runtime, output }, bytes) {
      if (runtime.type === 'onnx') {
        const { onnxRuntime } = await import('./onnx/onnx.ts')
        return onnxRuntime(await bytes(), runtime.digest)
      }
      const { createRemoteRuntime } = await import('./inference/inference.ts')
      return createRemoteRuntime(
        runtime,
        partsOf(output).flatMap(({ name }) => name ?? []),
      )
    },
  }
}
