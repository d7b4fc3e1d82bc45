/** VowpalWabbit's SquareCB, beside the learner `hashed` under SquareCB, in worlds of recommendations that both meet request by request. */
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { playPool } from '../support/pool-player.ts'
import { type Change, type PoolWorld, poolWorld, shareOf } from '../support/pool-world.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'

const PYTHON = new URL('python/', import.meta.url).pathname

const WORLDS = 8
const HORIZON = 20_000
/** The 0.975 quantile of Student's t with 7 degrees of freedom. */
const T_7 = 2.3646

/** What VowpalWabbit is best at of its explorations here, and does not come with: `--gamma_scale` is 10. */
const THEIRS = ['--squarecb', '--gamma_scale', '1000']
/** As a server with `--learn` does between two snapshots: each day, of 1,000 decisions, fitted anew, and learning at once meanwhile. */
const OURS = {
  atOnce: true,
  learner: { type: 'hashed', l2: 20 },
  exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
} as const

describe.each<Change>(['nothing', 'drift', 'new items'])('where what changes from day to day is %s', change => {
  const differences: number[] = []
  const shares: string[] = []

  it.for(Array.from({ length: WORLDS }, (_, i) => i + 1))('both play world %i', async (seed, context) => {
    const python = await needs(context, () => pythonWith(join(PYTHON, 'vowpalwabbit.txt')))
    const world = poolWorld(seed, HORIZON, change)
    const theirs = playedByThem(python, world, seed)
    const halfLife = change === 'drift' ? 3 : undefined
    const ours = shareOf(world, playPool(world, { ...OURS, halfLife }, seed))
    const other = shareOf(world, await theirs)
    differences.push(ours - other)
    shares.push(`${ours.toFixed(3)} ${other.toFixed(3)}`)
  })

  it('the learner hashed earns no less than VowpalWabbit', ({ skip }) => {
    if (differences.length < WORLDS) skip('not all worlds were played')
    const mean = differences.reduce((sum, each) => sum + each, 0) / WORLDS
    const variance = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (WORLDS - 1)
    const half = T_7 * Math.sqrt(variance / WORLDS)
    const said = `shares ${shares.join(', ')}; difference ${mean.toFixed(3)} ± ${half.toFixed(3)}`
    console.log(`${change}: ${said}`)
    expect(mean - half, said).toBeGreaterThan(-0.02)
  })
})

/** It plays beside this process, which has work of its own meanwhile. */
async function playedByThem(python: string, { items, requests }: PoolWorld, seed: number): Promise<number> {
  const lines = requests.map(({ context, offered, means, chance }) => JSON.stringify([context, offered, means, chance]))
  const input = `${JSON.stringify(items)}\n${lines.join('\n')}\n`
  const { stdout } = await execa(python, [join(PYTHON, 'vowpal_wabbit.py'), String(seed), ...THEIRS], { input })
  return Number(stdout)
}
