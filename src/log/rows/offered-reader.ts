import type { Policy } from '../../policy/policy.ts'
import { createFeatureCheck, featuresKnownTo, type Pool, poolOfOne } from '../../policy/pool.ts'
import type { TextColumn } from '../tables.ts'
import { remember } from './remember.ts'
import { called, RowFault, type RowReader } from './row-reader.ts'

/** What `read` makes of the actions that each request brought, as JSON; a row without them is a fault. */
export function offerReader<T>(column: string, read: (json: string) => T | RowFault): RowReader<T> {
  const missing = new RowFault(`${called(column)} is missing: the actions were not the request's`)
  return {
    requests: [{ column, type: 'text' }],
    bind([texts]) {
      const { values } = texts as TextColumn
      return i => {
        const json = values[i]
        return json === null ? missing : read(json)
      }
    },
  }
}

/**
 * The actions that each request brought, as a policy sees them: those that were eligible, in their order. Actions that do not fit it are a
 * fault of the row; features that it does not know are not: the log may be of a policy that knew more.
 */
export function offeredReader(policy: Policy, column: string): RowReader<Pool> {
  const known = featuresKnownTo(policy.spec.actions)
  const misfit = (what: string) => new RowFault(`the actions do not fit policy \`${policy.name}\`: ${what}`)
  return offerReader(column, json => {
    const logged = JSON.parse(json) as readonly { readonly id: string; readonly features?: object }[]
    const pool = policy.offer({
      actions: logged.map(({ id, features = {} }) => ({ id, features: known(features) })),
    })
    if (!('faults' in pool)) return pool
    return misfit(pool.faults.map(({ pointer, message }) => `\`${pointer.slice(1)}\` ${message}`).join('; '))
  })
}

/** More different texts are read anew each time. */
const REMEMBERED = 8192

/**
 * What was known of the action of each row when it was taken, as a pool of that action alone: the rows of a set may have changed since. Undefined
 * where the record does not say. Features that do not fit the set as it is are a fault of the row.
 */
export function takenReader(policy: Policy, column: string): RowReader<Pool | undefined> {
  const check = createFeatureCheck(policy.spec.actions)
  const read = remember(REMEMBERED, (json: string) => {
    const checked = check(JSON.parse(json) as object)
    if ('context' in checked) return checked.context
    const faults = checked.faults.map(({ pointer, message }) => `\`${pointer.slice(1)}\` ${message}`)
    return new RowFault(`the action does not fit policy \`${policy.name}\`: ${faults.join('; ')}`)
  })
  return {
    requests: [{ column, type: 'text' }],
    bind([texts]) {
      const { values } = texts as TextColumn
      return (i, { action }) => {
        const json = values[i]
        const known = json === null ? undefined : read(json)
        return known === undefined || known instanceof RowFault ? known : poolOfOne(policy.actions[action], known)
      }
    },
  }
}
