import type { ClickSpec } from '../../kinds.ts'
import { bySlot } from '../../policy/lists/by-slot.ts'
import type { ClickDefinition } from '../click-model.ts'
import { highestFirst } from './highest.ts'

/**
 * The position-based model: slot k is looked at with probability γ_k, whatever else there is, and clicked with γ_k · q. Richardson, Dominowska,
 * Ragno, "Predicting Clicks: Estimating the Click-Through Rate for New Ads", WWW 2007.
 */
export const pbm: ClickDefinition<Extract<ClickSpec, { type: 'pbm' }>> = {
  type: 'pbm',
  order: 10,
  description:
    'Position-based: each slot is looked at with a probability of its own, and clicked then as its action is. Any number of clicks.',
  options: {
    examination: {
      type: 'array',
      description:
        'The probability that each slot is looked at, from the first on; the last number is that of all that follow.',
      items: { type: 'number', minimum: 0, maximum: 1 },
      minItems: 1,
      maxItems: 50,
      examples: [[1, 0.6, 0.4, 0.3]],
    },
  },
  required: ['examination'],
  create({ examination }) {
    const gamma = (slot: number) => bySlot(examination, slot)
    /** Slots, those that are looked at most first; of lists as long as the last one. */
    let order: readonly number[] = []
    return {
      expected({ slots, q }, out) {
        let sum = 0
        for (let k = 0; k < slots; k++) {
          out[k] = gamma(k) * q[k]
          sum += out[k]
        }
        return sum
      },
      draw({ slots, q }, u, out) {
        let clicks = 0
        for (let k = 0; k < slots; k++) {
          out[k] = u[k] < gamma(k) * q[k] ? 1 : 0
          clicks += out[k]
        }
        return clicks
      },
      best(q, _kind, count, slots, out) {
        const n = highestFirst(q, count, slots, out)
        if (order.length !== n)
          order = Array.from({ length: n }, (_, k) => k).sort((a, b) => gamma(b) - gamma(a) || a - b)
        const top = out.slice(0, n)
        for (let i = 0; i < n; i++) out[order[i]] = top[i]
        return n
      },
    }
  },
}
