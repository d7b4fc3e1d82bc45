import type { IncomingHttpHeaders } from 'node:http'
import { etagOf } from './fields.ts'
import type { StoredBucket, StoredObject } from './object-store.ts'
import { invalid, StorageRefusal } from './refusal.ts'

type Versioned = Pick<StoredObject, 'generation' | 'metageneration'> | Pick<StoredBucket, 'metageneration'>

/**
 * rule: storage-conditions. The conditions of a request on what is there: `ifGenerationMatch` and its like, of sources
 * `ifSourceGenerationMatch`. 0 asks for nothing at all. A reader is told that nothing has changed where one that must not hold holds.
 */
export function checkConditions(
  found: Versioned | undefined,
  query: URLSearchParams,
  of: '' | 'Source' = '',
  reading = false,
): void {
  for (const kind of ['Generation', 'Metageneration'] as const) {
    const current =
      found && (kind === 'Generation' ? ('generation' in found ? found.generation : 0) : found.metageneration)
    const is = numberOf(query, `if${of}${kind}Match`)
    const not = numberOf(query, `if${of}${kind}NotMatch`)
    if (is !== undefined && is !== (current ?? 0)) throw notMet()
    if (not !== undefined && not === (current ?? 0)) throw reading ? notModified() : notMet()
  }
}

/** The same by etags, which headers carry. */
export function checkEtags(found: StoredObject, headers: IncomingHttpHeaders, reading: boolean): void {
  const named = (header: string | undefined) =>
    header?.split(',').some(each => ['*', etagOf(found)].includes(each.trim().replace(/^(?:W\/)?"(.*)"$/, '$1')))
  if (named(headers['if-match']) === false) throw notMet()
  if (named(headers['if-none-match'])) throw reading ? notModified() : notMet()
}

export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!/^\d+$/.test(text)) throw invalid(`${name} is a number, not ${text}`)
  return Number(text)
}

export const notMet = () =>
  new StorageRefusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.')
const notModified = () => new StorageRefusal(304, 'notModified', 'Not Modified')
