import { describe, expect, it } from 'vitest'
import { createPolicy } from '../../src/policy/policy.ts'
import { takeSnapshot } from '../../src/policy/snapshot.ts'
import { snapshotText } from '../../src/policy/snapshot-format.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { resource } from '../support/repository.ts'
import { repository } from '../support/run-dap.ts'

const FILES = {
  'dap.yaml': resource('Project', 'shelf', 'projectId: abcdefgh23456789'),
  'policies/shelf.yaml': resource(
    'Policy',
    'shelf',
    `context: { level: { type: integer, minimum: 0 } }
actions:
  - { id: rummy, features: { genre: card } }
  - { id: blocks, features: { genre: puzzle } }
features: [{ action: genre }, { cross: [level, action.genre] }]
algorithm:
  learner: { type: linear, shared: true, intercept: false }
  exploration: { type: squarecb }
guardrails: { minProbability: 0.05 }`,
  ),
}

/** What the policy has learnt of so many rewards: cards at low levels, puzzles at high ones. */
async function snapshotOf(rewards: number): Promise<string> {
  const loaded = await loadRepository(Object.entries(FILES).map(([path, text]) => ({ path, text })))
  const { name, spec, digest } = loaded.get('Policy', 'shelf')!
  const policy = createPolicy(name, spec, digest)
  const row = new Float64Array(policy.features.dimension)
  for (let i = 0; i < rewards; i++) {
    const [action, level] = [i % 2, (i >> 1) % 8]
    policy.features.writeRow({ level }, action, row)
    policy.learner.learn(action, row, (action === 0) === level < 4 ? 1 : 0)
  }
  return snapshotText(takeSnapshot(policy))
}

describe('a policy whose actions share a model', () => {
  it('is shown, compared and explained', async () => {
    const { dap } = repository({
      ...FILES,
      'snapshots/shelf.json': await snapshotOf(80),
      'before.json': await snapshotOf(40),
    })
    expect(await dap('validate')).toMatchObject({ code: 0, stderr: '' })
    const from = (text: string, mark: string) => text.slice(text.indexOf(mark))
    expect(from((await dap('snapshot show snapshots/shelf.json')).stdout, 'action')).toMatchInlineSnapshot(`
      "action  rewards
      rummy        40
      blocks       40

      feature                      coefficient      width
      action.genre=card                  1.074   ± 0.2769
      level × action.genre=puzzle       0.1871  ± 0.06697
      level × action.genre=card        -0.1718  ± 0.06697
      action.genre=puzzle               -0.151   ± 0.2769
      "
    `)
    expect(
      from((await dap('snapshot diff before.json snapshots/shelf.json')).stdout, 'feature'),
    ).toMatchInlineSnapshot(`
      "feature                       before    after
      action.genre=card              1.031    1.074
      level × action.genre=card    -0.1557  -0.1718
      action.genre=puzzle          -0.1565   -0.151
      level × action.genre=puzzle   0.1821   0.1871

      action    what     before  after  change
      rummy     rewards      20     40     +20
      blocks    rewards      20     40     +20
      "
    `)
    const { stdout } = await dap(`decide shelf --context {"level":3} --id d --explain`)
    expect(stdout.slice(stdout.indexOf('rummy = '), stdout.indexOf('floor'))).toMatchInlineSnapshot(`
      "rummy = 1.074 action.genre=card − 0.5153 level × action.genre=card
      blocks = 0.5612 level × action.genre=puzzle − 0.151 action.genre=puzzle

      80 rewards learnt; values are expected rewards, widths in units of their noise
      "
    `)
  })
})
