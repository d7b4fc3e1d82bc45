/** Twelve hex digits: enough for a reader, and to tell the files of one policy apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
