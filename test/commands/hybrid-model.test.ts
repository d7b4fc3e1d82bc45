import { describe, expect, it } from 'vitest'
import { createPolicy } from '../../src/policy/policy.ts'
import { takeSnapshot } from '../../src/policy/snapshot.ts'
import { snapshotText } from '../../src/policy/snapshot-format.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { resource } from '../support/repository.ts'
import { repository } from '../support/run-dap.ts'

const policy = (actions: readonly string[]) =>
  resource(
    'Policy',
    'shelf',
    `context: { level: { type: integer, minimum: 0 } }
actions:
${actions.map(action => `  - ${action}`).join('\n')}
features: [{ action: price }, { field: level }, { cross: [level, action.price] }]
algorithm:
  learner: { type: hybrid }
  exploration: { type: squarecb }
guardrails: { minProbability: 0.05 }`,
  )
const RUMMY = '{ id: rummy, features: { price: 1 } }'
const BLOCKS = '{ id: blocks, features: { price: 2 } }'
const MOSAIC = '{ id: mosaic, features: { price: 2 } }'
const FILES = {
  'dap.yaml': resource('Project', 'shelf', 'projectId: abcdefgh23456789'),
  'policies/shelf.yaml': policy([RUMMY, BLOCKS]),
}

/** What the policy has learnt of so many rewards: rummy at low levels, blocks at high ones. */
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

describe('a policy with a shared model and one an action', () => {
  it('is shown, compared and explained', async () => {
    const { dap } = repository({ ...FILES, 'now.json': await snapshotOf(80), 'before.json': await snapshotOf(40) })
    expect(await dap('validate')).toMatchObject({ code: 0, stderr: '' })
    const from = (text: string, mark: string) => text.slice(text.indexOf(mark))
    expect(from((await dap('snapshot show now.json')).stdout, 'action')).toMatchInlineSnapshot(`
      "action  rewards  feature    coefficient     width
      rummy        40  intercept       0.9472   ± 0.478
                       level          -0.2058  ± 0.4127
      blocks       40  intercept      -0.4051  ± 0.8269
                       level            0.119  ± 0.8171

      feature               coefficient    width
      action.price               0.1371  ± 0.422
      level × action.price       0.0321  ± 0.409
      "
    `)
    expect(from((await dap('snapshot diff before.json now.json')).stdout, 'feature')).toMatchInlineSnapshot(`
      "feature                before   after
      action.price           0.1329  0.1371
      level × action.price  0.03206  0.0321

      action    what        before    after     change
      rummy     rewards         20       40        +20
                intercept    0.914   0.9472    +0.0332
                level       -0.191  -0.2058   -0.01486
      blocks    rewards         20       40        +20
                intercept  -0.3906  -0.4051   -0.01449
                level       0.1115    0.119  +0.007452
      "
    `)
    const { stdout } = await dap(`decide shelf --snapshot now.json --context {"level":3} --id d --explain`)
    expect(stdout.slice(stdout.indexOf('rummy = '), stdout.indexOf('floor'))).toMatchInlineSnapshot(`
      "rummy = 0.9472 intercept − 0.6174 level + 0.1371 action.price + 0.0963 level × action.price
      blocks = − 0.4051 intercept + 0.3569 level + 0.2741 action.price + 0.1926 level × action.price

      80 rewards learnt; values are expected rewards, widths in units of their noise
      "
    `)
  })

  it('brings what was learnt along where an action is gone and another came', async () => {
    const { dap } = repository({
      ...FILES,
      'policies/shelf.yaml': policy([MOSAIC, BLOCKS]),
      'now.json': await snapshotOf(80),
    })
    const refused = await dap(`decide shelf --snapshot now.json --context {"level":3} --id d`)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--migrate') })
    const { code, stdout } = await dap('bundle shelf --snapshot now.json --migrate')
    expect([code, stdout]).toEqual([0, expect.stringContaining('mosaic')])
  })
})
