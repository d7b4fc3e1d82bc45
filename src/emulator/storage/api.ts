import { StorageRefusal } from './refusal.ts'

export interface StorageMethod {
  readonly verb: string
  /** Below `/storage/v1/`, or `/upload/storage/v1/`. */
  readonly path: string
  /** The query parameters that the emulator acts upon; absent: the method is not emulated. */
  readonly reads?: readonly string[]
}

const GENERATIONS = ['ifGenerationMatch', 'ifGenerationNotMatch']
const METAGENERATIONS = ['ifMetagenerationMatch', 'ifMetagenerationNotMatch']
const CONDITIONS = [...GENERATIONS, ...METAGENERATIONS]
const SOURCE = ['sourceGeneration', ...CONDITIONS.map(name => name.replace('if', 'ifSource'))]
const PAGES = ['prefix', 'maxResults', 'pageToken']
const UPLOAD = ['name', 'uploadType', 'upload_id', 'contentEncoding', ...CONDITIONS]

/** Every method of Cloud Storage's JSON API. rule: storage-unimplemented */
export const STORAGE_METHODS = {
  'buckets.list': { verb: 'GET', path: 'b', reads: PAGES },
  'buckets.insert': { verb: 'POST', path: 'b', reads: [] },
  'buckets.get': { verb: 'GET', path: 'b/{bucket}', reads: METAGENERATIONS },
  'buckets.patch': { verb: 'PATCH', path: 'b/{bucket}', reads: METAGENERATIONS },
  'buckets.update': { verb: 'PUT', path: 'b/{bucket}', reads: METAGENERATIONS },
  'buckets.delete': { verb: 'DELETE', path: 'b/{bucket}', reads: METAGENERATIONS },
  'objects.list': {
    verb: 'GET',
    path: 'b/{bucket}/o',
    reads: [...PAGES, 'delimiter', 'includeTrailingDelimiter', 'startOffset', 'endOffset', 'matchGlob'],
  },
  'objects.insert': { verb: 'POST', path: 'upload/b/{bucket}/o', reads: UPLOAD },
  'objects.insert, a part': { verb: 'PUT', path: 'upload/b/{bucket}/o', reads: UPLOAD },
  'objects.insert, cancelled': { verb: 'DELETE', path: 'upload/b/{bucket}/o', reads: UPLOAD },
  'objects.get': { verb: 'GET', path: 'b/{bucket}/o/{object}', reads: ['alt', 'generation', ...CONDITIONS] },
  'objects.patch': { verb: 'PATCH', path: 'b/{bucket}/o/{object}', reads: ['generation', ...CONDITIONS] },
  'objects.update': { verb: 'PUT', path: 'b/{bucket}/o/{object}', reads: ['generation', ...CONDITIONS] },
  'objects.delete': { verb: 'DELETE', path: 'b/{bucket}/o/{object}', reads: ['generation', ...CONDITIONS] },
  'objects.copy': {
    verb: 'POST',
    path: 'b/{bucket}/o/{object}/copyTo/b/{to}/o/{as}',
    reads: [...SOURCE, ...CONDITIONS],
  },
  'objects.rewrite': {
    verb: 'POST',
    path: 'b/{bucket}/o/{object}/rewriteTo/b/{to}/o/{as}',
    reads: ['rewriteToken', ...SOURCE, ...CONDITIONS],
  },
  'objects.move': { verb: 'POST', path: 'b/{bucket}/o/{object}/moveTo/o/{as}', reads: [...SOURCE, ...CONDITIONS] },
  'objects.compose': { verb: 'POST', path: 'b/{bucket}/o/{object}/compose', reads: CONDITIONS },

  'objects.insert, nothing but fields': { verb: 'POST', path: 'b/{bucket}/o' },
  'objects.bulkRestore': { verb: 'POST', path: 'b/{bucket}/o/bulkRestore' },
  'objects.restore': { verb: 'POST', path: 'b/{bucket}/o/{object}/restore' },
  'objects.watchAll': { verb: 'POST', path: 'b/{bucket}/o/watch' },
  'objects.getIamPolicy': { verb: 'GET', path: 'b/{bucket}/o/{object}/iam' },
  'objects.setIamPolicy': { verb: 'PUT', path: 'b/{bucket}/o/{object}/iam' },
  'objects.testIamPermissions': { verb: 'GET', path: 'b/{bucket}/o/{object}/iam/testPermissions' },
  objectAccessControls: { verb: '*', path: 'b/{bucket}/o/{object}/acl/*' },
  'buckets.getIamPolicy': { verb: 'GET', path: 'b/{bucket}/iam' },
  'buckets.setIamPolicy': { verb: 'PUT', path: 'b/{bucket}/iam' },
  'buckets.testIamPermissions': { verb: 'GET', path: 'b/{bucket}/iam/testPermissions' },
  'buckets.getStorageLayout': { verb: 'GET', path: 'b/{bucket}/storageLayout' },
  'buckets.lockRetentionPolicy': { verb: 'POST', path: 'b/{bucket}/lockRetentionPolicy' },
  'buckets.relocate': { verb: 'POST', path: 'b/{bucket}/relocate' },
  'buckets.restore': { verb: 'POST', path: 'b/{bucket}/restore' },
  bucketAccessControls: { verb: '*', path: 'b/{bucket}/acl/*' },
  defaultObjectAccessControls: { verb: '*', path: 'b/{bucket}/defaultObjectAcl/*' },
  anywhereCaches: { verb: '*', path: 'b/{bucket}/anywhereCaches/*' },
  folders: { verb: '*', path: 'b/{bucket}/folders/*' },
  managedFolders: { verb: '*', path: 'b/{bucket}/managedFolders/*' },
  notifications: { verb: '*', path: 'b/{bucket}/notificationConfigs/*' },
  operations: { verb: '*', path: 'b/{bucket}/operations/*' },
  'projects.hmacKeys': { verb: '*', path: 'projects/{project}/hmacKeys/*' },
  'projects.serviceAccount': { verb: 'GET', path: 'projects/{project}/serviceAccount' },
  'channels.stop': { verb: 'POST', path: 'channels/stop' },
} as const satisfies Readonly<Record<string, StorageMethod>>

/** Parameters that change nothing that is emulated. rule: storage-parameters */
export const STORAGE_IGNORED: Readonly<Record<string, string>> = {
  projection: 'nothing has an access list',
  predefinedAcl: 'nobody is asked who they are',
  predefinedDefaultObjectAcl: 'nobody is asked who they are',
  destinationPredefinedAcl: 'nobody is asked who they are',
  project: 'buckets are of no project',
  userProject: 'nothing is paid',
  quotaUser: 'nothing is counted',
  userIp: 'nothing is counted',
  key: 'nobody is asked who they are',
  access_token: 'nobody is asked who they are',
  oauth_token: 'nobody is asked who they are',
  versions: 'there are only live versions',
  includeFoldersAsPrefixes: 'there are no folders',
  returnPartialSuccess: 'every answer is whole',
  overrideUnlockedRetention: 'nothing is retained',
  maxBytesRewrittenPerCall: 'every object is rewritten in one call',
  fields: 'answers say all there is, which is more',
  prettyPrint: 'the same JSON',
  alt: 'JSON, but for `media` of objects.get',
  uploadType: 'the path says it',
}

export type StorageMethodId = keyof typeof STORAGE_METHODS
/** The methods that are emulated. */
export type StorageCallId = {
  [Id in StorageMethodId]: (typeof STORAGE_METHODS)[Id] extends { readonly reads: readonly string[] } ? Id : never
}[StorageMethodId]

export interface StorageCall {
  readonly id: StorageCallId
  /** By the names in the path of the method. */
  readonly path: Readonly<Record<string, string>>
}

const ROUTES = Object.entries<StorageMethod>(STORAGE_METHODS).map(([id, method]) => ({
  id,
  ...method,
  pattern: new RegExp(`^${method.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)').replace(/\/\*$/, '(?:/.*)?')}$`),
}))

/** The method that is called, or the refusal of what is not emulated. */
export function storageCall(verb: string, path: string, query: URLSearchParams): StorageCall {
  for (const { id, verb: wanted, pattern, reads } of ROUTES) {
    const found = wanted === verb || wanted === '*' ? pattern.exec(path) : null
    if (found === null) continue
    if (reads === undefined) throw notEmulated(`the method ${id}`)
    for (const [name, value] of query)
      if (!reads.includes(name) && !Object.hasOwn(STORAGE_IGNORED, name) && !isOff(value))
        throw notEmulated(`\`${name}\` of ${id}`)
    const entries = Object.entries(found.groups ?? {}).map(([name, text]) => [name, decoded(text)])
    return { id: id as StorageCallId, path: Object.fromEntries(entries) as Record<string, string> }
  }
  throw notEmulated(`${verb} ${path} (a name of an object is one part of the path: its slashes are %2F)`)
}

export const notEmulated = (what: string) =>
  new StorageRefusal(501, 'notImplemented', `The emulator does not have ${what}: see docs/emulator.md.`)

/** A value that asks for nothing. Python's client spells truth with a capital. */
export function isOff(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return !value || /^(?:0|false)$/i.test(String(value))
  return Object.values(value).every(isOff)
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new StorageRefusal(400, 'invalid', `the path is not valid: ${segment}`)
  }
}
