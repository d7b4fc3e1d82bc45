import { gzipSync } from 'node:zlib'

export interface TarballFile {
  /** With forward slashes, at most 100 bytes. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly executable: boolean
}

/** The time that npm gives every file of a tarball, so that the same files are the same bytes. */
const TIME = Date.UTC(1985, 9, 26, 8, 15) / 1000
const BLOCK = 512

/** Regular files as a compressed archive of POSIX's format `ustar`. */
export function tarball(files: readonly TarballFile[]): Uint8Array {
  const blocks = files.flatMap(file => [header(file), file.bytes, Buffer.alloc(-file.bytes.length & (BLOCK - 1))])
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 9 })
}

function header({ path, bytes, executable }: TarballFile): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`${path} is too long for a tarball`)
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  block.write(path, 0)
  octal(executable ? 0o755 : 0o644, 100, 7)
  octal(0, 108, 7) // owner
  octal(0, 116, 7) // group
  octal(bytes.length, 124, 11)
  octal(TIME, 136, 11)
  block.write('0', 156, 'latin1') // a regular file
  block.write('ustar\0' + '00', 257, 'latin1')
  // The checksum is made of a header that has blanks in its place.
  block.fill(' ', 148, 156)
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  )
  block.write('\0 ', 154, 'latin1')
  return block
}
