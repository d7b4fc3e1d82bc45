import type { Policy } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import type { TextColumn } from '../tables.ts'
import { called, RowFault, type RowReader } from './row-reader.ts'

/**
 * The actions that each request brought, as a policy sees them: those that were eligible, in their order. Actions that do not fit it are a
 * fault of the row; features that it does not know are not: the log may be of a policy that knew more.
 */
export function offeredReader(policy: Policy, column: string): RowReader<Pool> {
  const { actions } = policy.spec
  const known = 'from' in actions ? Object.keys(actions.features) : []
  const misfit = (what: string) => new RowFault(`the actions do not fit policy \`${policy.name}\`: ${what}`)
  return {
    requests: [{ column, type: 'text' }],
    bind([texts]) {
      const { values } = texts as TextColumn
      return i => {
        const json = values[i]
        if (json === null) return new RowFault(`${called(column)} is missing: the actions were not the request's`)
        const logged = JSON.parse(json) as readonly { readonly id: string; readonly features?: object }[]
        const pool = policy.offer({
          actions: logged.map(({ id, features = {} }) => ({
            id,
            features: Object.fromEntries(Object.entries(features).filter(([name]) => known.includes(name))),
          })),
        })
        if (!('faults' in pool)) return pool
        return misfit(pool.faults.map(({ pointer, message }) => `\`${pointer.slice(1)}\` ${message}`).join('; '))
      }
    },
  }
}
