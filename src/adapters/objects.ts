import type { Storage } from '@google-cloud/storage'
import { DapError, InstallationError } from '../errors.ts'
import type { Objects } from '../host.ts'

/** More objects than this below one URI are no folder of bundles. */
const MOST = 1000
const TIMEOUT_SECONDS = 30

/**
 * Cloud Storage, with the credentials that the machine has. `STORAGE_EMULATOR_HOST` leads the library elsewhere, where nobody asks for
 * credentials.
 */
export async function cloudObjects(): Promise<Objects> {
  const storage = await open()
  const place = (uri: string) => {
    const [, bucket, name] = /^gs:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? []
    if (bucket === undefined)
      throw new DapError(`\`${uri}\` is no place in Cloud Storage`, { hint: 'gs://bucket/folder' })
    return { bucket: storage.bucket(bucket), name }
  }
  return {
    list: uri =>
      attempt(uri, async () => {
        const { bucket, name } = place(uri)
        const [files] = await bucket.getFiles({ prefix: name, maxResults: MOST, autoPaginate: false })
        return files.map(file => ({
          uri: `gs://${bucket.name}/${file.name}`,
          stamp: String(file.metadata.generation ?? file.metadata.md5Hash ?? file.metadata.updated ?? ''),
        }))
      }),
    read: (uri, maxBytes) =>
      attempt(uri, async () => {
        const { bucket, name } = place(uri)
        const file = bucket.file(name)
        const [{ size }] = await file.getMetadata()
        if (Number(size) > maxBytes)
          throw new DapError(`\`${uri}\` has ${size} bytes, more than the ${maxBytes} that are read`)
        const [bytes] = await file.download()
        return bytes.toString('utf8')
      }),
  }
}

async function open(): Promise<Storage> {
  try {
    const { Storage } = await import('@google-cloud/storage')
    return new Storage({ retryOptions: { totalTimeout: TIMEOUT_SECONDS } })
  } catch (cause) {
    throw new InstallationError(['@google-cloud/storage'], cause)
  }
}

async function attempt<T>(uri: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    if (cause instanceof DapError) throw cause
    const { code, message } = cause as { readonly code?: number | string; readonly message: string }
    throw new DapError(`cannot read \`${uri}\`: ${REASONS[String(code)] ?? message.split('\n', 1)[0]}`, {
      hint: 'the service account needs roles/storage.objectViewer on the bucket; on a workstation, `gcloud auth application-default login`',
      cause,
    })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  '401': 'no valid credentials',
  '403': 'no permission',
  '404': 'it does not exist',
}
