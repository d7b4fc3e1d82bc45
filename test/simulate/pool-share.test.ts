import { describe, expect, it } from 'vitest'
import { playPool } from '../support/pool-player.ts'
import { poolWorld, shareOf } from '../support/pool-world.ts'

const EXPLORATION = { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' } as const
const player = { learner: { type: 'hashed', l2: 20 }, exploration: EXPLORATION } as const

describe('recommendations, ten of two hundred items a request', () => {
  it('earn more than 0.64 of what is to be earned over chance, fitted anew each 1,000 decisions, in four worlds of 20,000', () => {
    const shares = [1, 2, 3, 4].map(seed => {
      const world = poolWorld(seed, 20_000)
      return shareOf(world, playPool(world, player, seed))
    })
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.64)
    // Worlds differ by what there is to be learnt in them.
    expect(Math.min(...shares)).toBeGreaterThan(0.58)
  })

  it('earn more where they learn at once between the fits', () => {
    const world = poolWorld(5, 6000)
    const later = shareOf(world, playPool(world, player, 5))
    const atOnce = shareOf(world, playPool(world, { ...player, atOnce: true }, 5))
    expect(atOnce).toBeGreaterThan(later)
  })
})
