/** The file that Google's clients take credentials from; of what is in it only the type is read out. */
import { join } from 'node:path'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { isMapping } from '../../schema/shape.ts'

export type Credentials =
  | { readonly path: string; readonly type: string }
  | { readonly path: string; readonly fault: string }
  /** No file, which on a machine of Google Cloud need not be there. */
  | undefined

export const CREDENTIALS_VARIABLE = 'GOOGLE_APPLICATION_CREDENTIALS'

const MAX_BYTES = 1024 * 1024

/** What Google's clients know how to use. */
const TYPES = [
  'authorized_user',
  'service_account',
  'external_account',
  'external_account_authorized_user',
  'impersonated_service_account',
]

export async function findCredentials(host: Host): Promise<Credentials> {
  const named = host.environment(CREDENTIALS_VARIABLE)
  const path = named ?? usualPath(host)
  if (path === undefined || (named === undefined && !(await host.files.exists(path)))) return undefined
  try {
    const json: unknown = JSON.parse(await host.files.read(path, MAX_BYTES))
    const type = isMapping(json) ? json.type : undefined
    const known = TYPES.find(each => each === type)
    return known === undefined ? { path, fault: 'it says no type of credentials that is known' } : { path, type: known }
  } catch (error) {
    if (error instanceof DapError) return { path, fault: error.message }
    return { path, fault: 'it is not JSON' }
  }
}

/** Where `gcloud auth application-default login` writes it. */
function usualPath(host: Host): string | undefined {
  const [settings, home, windows] = ['CLOUDSDK_CONFIG', 'HOME', 'APPDATA'].map(
    name => host.environment(name) || undefined,
  )
  const folder = settings ?? (windows !== undefined ? join(windows, 'gcloud') : home && join(home, '.config', 'gcloud'))
  return folder && join(folder, 'application_default_credentials.json')
}
