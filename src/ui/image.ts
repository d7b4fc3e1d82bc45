import type { TextContext } from '../command.ts'

/** What `dap image build --json` prints. */
export interface ImageResult {
  readonly schema: 'dap.image/v1'
  readonly environment: string
  readonly builder: 'docker' | 'cloud-build'
  /** Name and tag of what was built. */
  readonly tag: string
  /** Name and digest, to be pinned; null where it was not pushed: an image gets its digest in a registry. */
  readonly image: string | null
  /** The Environment's file, relative to the repository. */
  readonly file: string
}

export function imageText({ image, tag, file }: ImageResult, { style }: TextContext): string {
  if (image === null) return `${tag}\n${style.dim('not pushed: `--push` gives it the digest to pin')}`
  return `${image}\n${style.dim(`pin it as spec.gcp.image in ${file}`)}`
}
