import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import type { Rewards } from '../../src/policy/definition.ts'
import type { Context } from '../../src/policy/policy.ts'
import type { World } from '../../src/simulate/world.ts'

/** What every world promises, in each of the given contexts. */
export function worldContract(
  name: string,
  create: () => World,
  contexts: readonly Context[],
  rewards: Rewards = 'any',
): void {
  describe(`${name} keeps the contract of a world`, () => {
    it('has rewards whose mean is the mean it states (z-test over 200,000 seeded chances)', () => {
      const world = create()
      const means = new Float64Array(world.actions.length)
      const rounds = 200_000
      for (const context of contexts) {
        world.means(context, means, 0)
        const rng = stream(11, name)
        const sums = new Float64Array(means.length)
        const squares = new Float64Array(means.length)
        for (let i = 0; i < rounds; i++) {
          const chance = world.chance(rng)
          for (let k = 0; k < means.length; k++) {
            const off = world.reward(k, means[k], chance) - means[k]
            sums[k] += off
            squares[k] += off * off
          }
        }
        for (let k = 0; k < means.length; k++) {
          const error = Math.sqrt(squares[k]) / rounds
          expect(Math.abs(sums[k] / rounds)).toBeLessThanOrEqual(4.5 * error)
        }
      }
    })

    it('writes its means where it is told and nowhere else', () => {
      const world = create()
      const k = world.actions.length
      const alone = new Float64Array(k)
      world.means(contexts[0], alone, 0)
      const shared = new Float64Array(k + 4).fill(-7)
      world.means(contexts[0], shared, 2)
      expect([...shared]).toEqual([-7, -7, ...alone, -7, -7])
    })

    it('draws as many numbers a round whatever is chosen, so that rounds are the same for every policy', () => {
      const world = create()
      const means = new Float64Array(world.actions.length)
      world.means(contexts[0], means, 0)
      const run = (action: number) => {
        const rng = stream(5, name)
        const chances: number[] = []
        for (let i = 0; i < 50; i++) {
          const chance = world.chance(rng)
          world.reward(action, means[action], chance)
          chances.push(chance)
        }
        return chances
      }
      expect(run(0)).toEqual(run(world.actions.length - 1))
    })

    it('has no rewards outside [0, 1], if it says so', () => {
      if (rewards === 'any') return
      const world = create()
      const means = new Float64Array(world.actions.length)
      world.means(contexts[0], means, 0)
      const rng = stream(7, name)
      for (let i = 0; i < 1000; i++) {
        const chance = world.chance(rng)
        for (let k = 0; k < means.length; k++) {
          const reward = world.reward(k, means[k], chance)
          expect(reward >= 0 && reward <= 1).toBe(true)
        }
      }
    })

    it('orders the potential rewards of one round as their means', () => {
      const world = create()
      const rng = stream(3, name)
      for (let i = 0; i < 1000; i++) {
        const chance = world.chance(rng)
        expect(world.reward(0, 0.2, chance)).toBeLessThanOrEqual(world.reward(0, 0.7, chance))
      }
    })

    it('says whether it looks at the context', () => {
      const world = create()
      const rows = contexts.map(context => {
        const means = new Float64Array(world.actions.length)
        world.means(context, means, 0)
        return [...means]
      })
      expect(new Set(rows.map(row => JSON.stringify(row))).size > 1).toBe(world.contextual)
    })
  })
}
