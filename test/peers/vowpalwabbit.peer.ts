/** VowpalWabbit's SquareCB, beside the learner `hashed` under SquareCB, in worlds of recommendations that both meet request by request. */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { afterAll, describe, expect, it } from 'vitest'
import { type PoolPlayer, playPool } from '../support/pool-player.ts'
import { type Change, type PoolWorld, poolWorld, shareOf } from '../support/pool-world.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'

const PYTHON = new URL('python/', import.meta.url).pathname

const WORLDS = 8
const HORIZON = 20_000
/** A world takes both some ten seconds of work; how long that is depends on what else the machine has to do. */
const LIMIT_MS = 600_000
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
/** Its buckets of time are days, so that it is fitted anew as often. */
const FORGETTING: PoolPlayer = { ...OURS, learner: { ...OURS.learner, discount: { halfLife: '4d' } } }

let vowpalWabbit: ReturnType<typeof startVowpalWabbit> | undefined
afterAll(() => vowpalWabbit?.end())

describe.each<[Change, PoolPlayer]>([
  ['nothing', OURS],
  ['drift', FORGETTING],
  ['new items', OURS],
])('where what changes from day to day is %s', (change, player) => {
  const differences: number[] = []
  const shares: string[] = []

  it.for(Array.from({ length: WORLDS }, (_, i) => i + 1))(
    'both play world %i',
    { timeout: LIMIT_MS },
    async (seed, context) => {
      vowpalWabbit ??= startVowpalWabbit(await needs(context, () => pythonWith(join(PYTHON, 'vowpalwabbit.txt'))))
      const world = poolWorld(seed, HORIZON, change)
      const theirs = await vowpalWabbit.begin(world, seed)
      const ours = shareOf(world, playPool(world, player, seed))
      const other = shareOf(world, await theirs.earned)
      differences.push(ours - other)
      shares.push(`${ours.toFixed(3)} ${other.toFixed(3)}`)
    },
  )

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

/** One process plays all the worlds, one after the other. */
function startVowpalWabbit(python: string) {
  const child = execa(python, [join(PYTHON, 'vowpal_wabbit.py'), ...THEIRS])
  // Whoever waits for a world is told; nobody else is to take it for a failure that nobody handles.
  const failed = child.then(() => {
    throw new Error('VowpalWabbit ended before it had played all worlds')
  })
  failed.catch(() => {})
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    /** Once it has read the world; it plays beside this process, which has work of its own meanwhile. */
    async begin({ items, requests }: PoolWorld, seed: number): Promise<{ readonly earned: Promise<number> }> {
      const lines = requests.map(({ context, offered, means, chance }) => [context, offered, means, chance])
      const text = [[seed, lines.length], items, ...lines].map(line => `${JSON.stringify(line)}\n`).join('')
      await Promise.race([failed, new Promise<void>(done => child.stdin.write(text, () => done()))])
      const answer = answers.next().then(({ value }) => Number(value))
      return { earned: Promise.race([failed, answer]) }
    },
    async end() {
      child.stdin.end()
      await child
    },
  }
}
