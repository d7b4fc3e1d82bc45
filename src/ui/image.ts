import type { TextContext } from '../command.ts'
import type { ImageResult } from '../results.ts'

export function imageText({ image, tag, file }: ImageResult, { style }: TextContext): string {
  if (image === null) return `${tag}\n${style.dim('not pushed: `--push` gives it the digest to pin')}`
  return `${image}\n${style.dim(`pin it as spec.gcp.image in ${file}`)}`
}
