import type { Storage } from '@google-cloud/storage'
import type { Artefacts, Place } from '../../deploy/routes.ts'
import { InstallationError } from '../../errors.ts'
import { attempting, DEADLINE_MS } from './errors.ts'

/** The bucket of a place. What is read is read without the client, which reads all of an object and warns of its own streams on the way. */
export function vertexBucket(
  place: Place,
  emulator: string | null,
  authorise: (url: string) => Promise<Headers>,
): Artefacts {
  const attempt = attempting('storage', place)
  let storage: Promise<Storage> | undefined
  const bucket = async () => {
    storage ??= open(place, emulator)
    return (await storage).bucket(place.bucket)
  }
  return {
    putArtefact: (name, text) =>
      attempt(async () => {
        const file = (await bucket()).file(name)
        const onlyIfAbsent = { ifGenerationMatch: 0 }
        try {
          await file.save(text, { resumable: false, contentType: 'application/json', preconditionOpts: onlyIfAbsent })
        } catch (error) {
          if ((error as { readonly code?: unknown }).code !== 412) throw error
        }
      }),
    listArtefacts: prefix =>
      attempt(async () => {
        const [files] = await (await bucket()).getFiles({ prefix })
        return files.map(({ name }) => name)
      }),
    getArtefact: (name, maxBytes) =>
      attempt(async () => {
        const path = `b/${encodeURIComponent(place.bucket)}/o/${encodeURIComponent(name)}`
        const url = `${emulator ?? 'https://storage.googleapis.com'}/storage/v1/${path}?alt=media`
        const headers = emulator === null ? await authorise(url) : undefined
        const response = await fetch(url, { headers, signal: AbortSignal.timeout(DEADLINE_MS) })
        if (response.ok) return textOf(response, maxBytes)
        const text = await response.text()
        if (response.status === 404) return undefined
        throw Object.assign(new Error(text), { code: response.status })
      }),
    deleteArtefact: name =>
      attempt(async () => {
        await (await bucket()).file(name).delete({ ignoreNotFound: true })
      }),
  }
}

/** undefined where there are more bytes: the rest of them is not asked for. */
async function textOf({ body }: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function open({ project }: Place, emulator: string | null): Promise<Storage> {
  try {
    const { Storage } = await import('@google-cloud/storage')
    return new Storage({
      projectId: project,
      timeout: DEADLINE_MS,
      retryOptions: { autoRetry: false, maxRetries: 0 },
      // Any endpoint but its own is one that the library shows no credentials to.
      ...(emulator === null ? {} : { apiEndpoint: emulator }),
    })
  } catch (cause) {
    throw new InstallationError(['@google-cloud/storage'], cause)
  }
}
