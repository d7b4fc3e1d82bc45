/** The files of a server's log: `decisions-20261122T181500Z-<host>-<pid>-<n>.jsonl`, with `.gz` or `.zst` once they are compressed. */
export interface SegmentName {
  readonly stream: 'decisions' | 'rewards'
  /** When it was begun, milliseconds since 1970. */
  readonly begun: number
  /** The name without the ending of a compression. */
  readonly plain: string
  readonly compressed: boolean
  /** The process that wrote it, and its number among those of the process. */
  readonly writer: string
  readonly number: number
}

/** Of compressed files. */
export const ENDINGS = ['.gz', '.zst'] as const

const NAME = /^((decisions|rewards)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([\w.-]+-\d+)-(\d+)\.jsonl)(\.gz|\.zst)?$/

/** Undefined of any name that no server gives. */
export function readSegmentName(name: string): SegmentName | undefined {
  const [, plain, stream, year, month, day, hour, minute, second, writer, number, ending] = NAME.exec(name) ?? []
  if (plain === undefined) return undefined
  const begun = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(begun)) return undefined
  return {
    stream: stream as SegmentName['stream'],
    begun,
    plain,
    compressed: ending !== undefined,
    writer,
    number: Number(number),
  }
}

export function segmentName(
  stream: SegmentName['stream'],
  begun: number,
  host: string,
  pid: number,
  n: number,
): string {
  const start = new Date(begun).toISOString().replace(/[-:]|\.\d+/g, '')
  return `${stream}-${start}-${host.replace(/[^\w.]+/g, '-')}-${pid}-${n}.jsonl`
}

/**
 * Without the compressed files of segments whose originals are there, too: an original goes when its compressed file is whole, and until then
 * it is the one to be read. `pathOf` gives paths with forward slashes.
 */
export function readableSegments<File>(files: readonly File[], pathOf: (file: File) => string): File[] {
  const all = new Set(files.map(pathOf))
  return files.filter(file => {
    const path = pathOf(file)
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    const segment = readSegmentName(path.slice(folder.length))
    return !(segment?.compressed && all.has(folder + segment.plain))
  })
}
