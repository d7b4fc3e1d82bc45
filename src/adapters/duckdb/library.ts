import type { TablesOptions } from '../../host.ts'
import { changedError, type TableSource } from '../../log/tables.ts'
import { stampOf } from '../node/files.ts'
import { createSpill, type Spill } from './database.ts'
import { nameOf, openCsv, openJsonLines, type TextFile } from './files.ts'

/** The files that were opened so far: each is looked through once, and must stay what it was. */
export interface Library {
  readonly options: TablesOptions
  readonly spill: Spill
  /** Remembers what the files are at first sight; a DapError for one that is not what it was. */
  unchanged(source: TableSource): void
  textFiles(source: TableSource, signal?: AbortSignal): Promise<readonly TextFile[]>
  /** Counts lines that were looked through, for who watches. */
  looked(lines: number): void
}

export function createLibrary(options: TablesOptions): Library {
  const stamps = new Map<string, string>()
  const texts = new Map<string, Promise<TextFile>>()
  const spill = createSpill(options)
  let lines = 0
  const looked = (more: number) => {
    lines += more
    options.onProgress?.({ unit: 'lines looked through', done: lines })
  }

  function textFile(source: TableSource, path: string, signal: AbortSignal | undefined): Promise<TextFile> {
    const key = JSON.stringify([path, source.format, source.csv])
    const file =
      texts.get(key) ??
      (source.format === 'csv'
        ? openCsv(source, path, spill, looked, signal)
        : openJsonLines(source, path, spill, looked, signal))
    texts.set(key, file)
    file.catch(() => texts.delete(key))
    return file
  }

  return {
    options,
    spill,
    looked,
    unchanged(source) {
      for (const path of source.paths) {
        const stamp = stampOf(path)
        const known = stamps.get(path)
        if (known === undefined) stamps.set(path, stamp)
        else if (known !== stamp) {
          throw changedError(nameOf(source, path))
        }
      }
    },
    async textFiles(source, signal) {
      const files: TextFile[] = []
      for (const path of source.paths) files.push(await textFile(source, path, signal))
      return files
    },
  }
}
