import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { FileReading, ModelReading } from '../../repo/models/read-model.ts'
import type { ReadModel } from '../../repo/models/take-models.ts'
import { type NamedFile, onceFor, unreadable } from './named-files.ts'

/** Of a parity file or a calibration, which are a few thousand numbers. */
const MAX_BYTES = 32 * 1024 * 1024

/** What a file begins with that Git LFS has not fetched. */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/'

/** Reads the files of Models, and tells which; each once, however often it is asked. `find` gives the path of a file, or a DapError. */
export function createReadModel(
  host: Host,
  find: (path: string) => Promise<string>,
  onFile: (file: NamedFile) => void,
): ReadModel {
  async function reading<T extends object>(file: string, read: (path: string) => Promise<T>): Promise<FileReading<T>> {
    try {
      const path = await find(file)
      if (await host.files.isFolder(path))
        throw new DapError(`\`${file}\` is a folder`, { hint: 'name the file in it' })
      const content = await read(path)
      const text = 'text' in content && typeof content.text === 'string' ? { text: content.text } : {}
      onFile({ path: file, real: await host.files.real(path), ...text })
      return content
    } catch (error) {
      const { message, hint } = unreadable(error, file)
      return { unread: message, ...(hint === undefined ? {} : { hint }) }
    }
  }

  const textOf = (file: string) => reading(file, async path => ({ text: await host.files.read(path, MAX_BYTES) }))

  const onnxOf = (file: string) =>
    reading(file, async path => {
      const { createHash } = await import('node:crypto')
      const bytes = await host.files.bytes(path)
      const { readOnnx } = await import('../../models/onnx-graph.ts')
      return {
        digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
        graph: readOnnx(bytes),
        isPointer: Buffer.from(bytes.subarray(0, LFS_POINTER.length)).toString('latin1') === LFS_POINTER,
      }
    })

  async function read({ spec }: Parameters<ReadModel>[0]): Promise<ModelReading> {
    const { runtime, calibration, parity } = spec
    const { readModel } = await import('../../repo/models/read-model.ts')
    return readModel(spec, {
      ...(runtime.type === 'onnx' ? { onnx: await onnxOf(runtime.file) } : {}),
      ...(calibration === undefined ? {} : { calibration: await textOf(calibration.file) }),
      ...(parity === undefined ? {} : { parity: await textOf(parity.file) }),
    })
  }

  return onceFor(({ spec }) => JSON.stringify(spec), read)
}
