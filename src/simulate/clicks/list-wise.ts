import type { ClickSpec } from '../../kinds.ts'
import type { ClickDefinition, Shown } from '../click-model.ts'
import { highestFirst } from './highest.ts'

/**
 * All of the list is looked at, and what is alike takes from each other, be it above or below: slot k is clicked with q · f^m, m the number of
 * others in the list that are like it. No estimator that looks at slots one by one, or from the top down, is unbiased here.
 */
export const listWise: ClickDefinition<Extract<ClickSpec, { type: 'list-wise' }>> = {
  type: 'list-wise',
  order: 40,
  description:
    'All slots are looked at, and actions that are alike take from each other, wherever they stand: a click with q · factor^(others like it). Any number of clicks.',
  options: {
    same: {
      type: 'string',
      description: 'A feature of the actions: those of one value are alike.',
      pattern: '^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,63}$',
      examples: ['genre'],
    },
    factor: {
      type: 'number',
      description: 'What each other one that is like it leaves of the probability of a click.',
      minimum: 0,
      maximum: 1,
      examples: [0.5],
    },
  },
  required: ['same', 'factor'],
  create({ same, factor }) {
    function weaken({ slots, q, kind }: Shown, k: number): number {
      let p = q[k]
      for (let j = 0; j < slots; j++) if (j !== k && kind[j] === kind[k]) p *= factor
      return p
    }

    return {
      same,
      expected(shown, out) {
        let sum = 0
        for (let k = 0; k < shown.slots; k++) {
          out[k] = weaken(shown, k)
          sum += out[k]
        }
        return sum
      },
      draw(shown, u, out) {
        let clicks = 0
        for (let k = 0; k < shown.slots; k++) {
          out[k] = u[k] < weaken(shown, k) ? 1 : 0
          clicks += out[k]
        }
        return clicks
      },
      /** m of a kind are best its m highest, worth f^(m − 1) · Σ q: how many of each kind is a knapsack, filled kind by kind. */
      best(q, kind, count, slots, out) {
        const n = Math.min(slots, count)
        const order = new Int32Array(count)
        highestFirst(q, count, count, order)
        const kinds = new Map<number, number[]>()
        for (const i of order) {
          const members = kinds.get(kind[i])
          if (members === undefined) kinds.set(kind[i], [i])
          else members.push(i)
        }
        /** worth[s]: of the best s actions of the kinds so far. */
        let worth = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY)
        worth[0] = 0
        const taken = [...kinds.values()].map(members => {
          const next = new Float64Array(n + 1).fill(Number.NEGATIVE_INFINITY)
          const of = new Int32Array(n + 1)
          let sum = 0
          let left = 1
          for (let m = 0; m <= Math.min(members.length, n); m++) {
            if (m > 0) sum += q[members[m - 1]]
            if (m > 1) left *= factor
            for (let s = m; s <= n; s++) {
              if (worth[s - m] + left * sum <= next[s]) continue
              next[s] = worth[s - m] + left * sum
              of[s] = m
            }
          }
          worth = next
          return { members, of }
        })
        const chosen = new Set<number>()
        let s = n
        for (const { members, of } of taken.reverse()) {
          for (const i of members.slice(0, of[s])) chosen.add(i)
          s -= of[s]
        }
        let k = 0
        for (const i of order) if (chosen.has(i)) out[k++] = i
        return n
      },
    }
  },
}
