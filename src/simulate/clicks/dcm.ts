import type { ClickSpec } from '../../kinds.ts'
import { bySlot } from '../../policy/lists/by-slot.ts'
import type { ClickDefinition, ClickModel } from '../click-model.ts'
import { highestFirst } from './highest.ts'

/**
 * The dependent click model: people look from the top down, click what they look at with q, and look on after a click at slot k with probability
 * λ_k, after none always. Guo, Liu, Wang, "Efficient Multiple-Click Models in Web Search", WSDM 2009.
 */
export const dcm: ClickDefinition<Extract<ClickSpec, { type: 'dcm' }>> = {
  type: 'dcm',
  order: 30,
  description: 'Dependent clicks: from the top down, and after a click on with a probability of that slot.',
  options: {
    continuation: {
      type: 'array',
      description:
        'The probability of looking on after a click on each slot, from the first on; it must not rise. The last number is that of all that follow.',
      items: { type: 'number', minimum: 0, maximum: 1 },
      minItems: 1,
      maxItems: 50,
      examples: [[0.6, 0.5, 0.4, 0.4]],
    },
  },
  required: ['continuation'],
  misfits({ continuation }) {
    const at = continuation.findIndex((lambda, k) => k > 0 && lambda > continuation[k - 1])
    if (at < 0) return []
    const message = `the probability of looking on rises from ${continuation[at - 1]} to ${continuation[at]}, where the best list is not by what its actions are worth`
    return [{ option: 'continuation', message, hint: 'write none that is higher than the one before' }]
  },
  create: ({ continuation }) => downward(k => bySlot(continuation, k)),
}

/**
 * Looking from the top down. The best list has the highest q first: of two neighbours in the wrong order the sum of clicks gains
 * (λ_k − λ_{k+1}) · V · (q_{k+1} − q_k) by a swap, with V the clicks below them, and λ does not rise; nor does a higher q ever lose any, since V
 * is at most 1 / (1 − λ_k).
 */
export function downward(continuation: (slot: number) => number): ClickModel {
  return {
    expected({ slots, q }, out) {
      let examined = 1
      let sum = 0
      for (let k = 0; k < slots; k++) {
        out[k] = examined * q[k]
        sum += out[k]
        examined *= 1 - q[k] * (1 - continuation(k))
      }
      return sum
    },
    // Of a click, u / q is uniform again, and says whether they look on.
    draw({ slots, q }, u, out) {
      let examined = true
      let clicks = 0
      for (let k = 0; k < slots; k++) {
        out[k] = examined && u[k] < q[k] ? 1 : 0
        clicks += out[k]
        if (out[k] === 1) examined = u[k] < continuation(k) * q[k]
      }
      return clicks
    },
    best: (q, _kind, count, slots, out) => highestFirst(q, count, slots, out),
  }
}
