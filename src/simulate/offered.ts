import { DapError } from '../errors.ts'
import type { PolicySpec } from '../kinds.ts'
import type { Values } from '../policy/feature-block.ts'
import { createOfferCheck, featuresKnownTo, type Pool } from '../policy/pool.ts'

/**
 * What a policy sees of the items that a world offers: the features that it knows, checked as a server checks them. An item is checked once.
 *
 * @throws DapError for an item that does not fit the policy.
 */
export function createView(actions: PolicySpec['actions']): (offered: Pool) => Pool {
  const check = createOfferCheck(actions)
  const known = featuresKnownTo(actions)
  const seen = new WeakMap<Values, Pool>()

  function see(item: Values): Pool {
    const before = seen.get(item)
    if (before !== undefined) return before
    const pool = check({ actions: [{ id: item['id'], features: known(item) }] })
    if ('faults' in pool) {
      const [{ pointer, message }] = pool.faults
      throw new DapError(`the world offers ${item['id']}, whose \`${pointer.split('/').at(-1)}\` ${message}`, {
        hint: "mend `world.features` of the scenario, so that items fit the policy's features",
      })
    }
    seen.set(item, pool)
    return pool
  }

  return ({ ids, values }) => {
    const each = values.map(see)
    return {
      ids,
      lasting: false,
      entries: each.map(({ entries }) => entries[0]),
      values: each.map(({ values }) => values[0]),
    }
  }
}
