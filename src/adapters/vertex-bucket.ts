import type { Storage } from '@google-cloud/storage'
import type { Cloud, Place } from '../deploy/cloud.ts'
import { InstallationError } from '../errors.ts'
import { attempting, DEADLINE_MS } from './vertex-errors.ts'

/** The bucket of a place. */
export function vertexBucket(
  place: Place,
  emulator: string | null,
): Pick<Cloud, 'putObject' | 'listObjects' | 'deleteObject'> {
  const attempt = attempting('storage', place)
  let storage: Promise<Storage> | undefined
  const bucket = async () => {
    storage ??= open(place, emulator)
    return (await storage).bucket(place.bucket)
  }
  return {
    putObject: (name, text) =>
      attempt(async () => {
        const file = (await bucket()).file(name)
        const onlyIfAbsent = { ifGenerationMatch: 0 }
        try {
          await file.save(text, { resumable: false, contentType: 'application/json', preconditionOpts: onlyIfAbsent })
        } catch (error) {
          if ((error as { readonly code?: unknown }).code !== 412) throw error
        }
      }),
    listObjects: prefix =>
      attempt(async () => {
        const [files] = await (await bucket()).getFiles({ prefix })
        return files.map(({ name }) => name)
      }),
    deleteObject: name =>
      attempt(async () => {
        await (await bucket()).file(name).delete({ ignoreNotFound: true })
      }),
  }
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
