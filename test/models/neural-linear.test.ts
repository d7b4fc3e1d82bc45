import { expect, it } from 'vitest'
import { fixture, sha256 } from '../support/models.ts'
import { resource } from '../support/repository.ts'
import { repository } from '../support/run-dap.ts'

const policy = (name: string, features: string) =>
  resource(
    'Policy',
    name,
    `unit: playerId
context:
  playerId: { type: string }
  x: { type: number, minimum: -1, maximum: 1 }
  y: { type: number, minimum: -1, maximum: 1 }
actions: { from: request, max: 12, features: { z: { type: number, minimum: -1, maximum: 1 } } }
features: ${features}
algorithm: { learner: { type: linear, shared: true, l2: 1 }, exploration: { type: thompson, scale: 0.3 } }
guardrails: { minProbability: 0.002 }
reward: { name: click, type: binary, wait: 1h, default: 0 }`,
  )

/** Every field, and every pair of them. */
const PAIRS =
  '[{ field: x }, { field: y }, { action: z }, { cross: [x, y] }, { cross: [x, action.z] }, { cross: [y, action.z] }]'

/** What test/fixtures/models/nonlinear.py made its network for. */
const SCENARIO = resource(
  'Scenario',
  'nonlinear',
  `world:
  type: catalogue
  logit: -1.0 + 6.0 * ctx.x * ctx.y * action.z
  items: 12
  offered: 12
  features: { z: { uniform: { min: -1, max: 1 } } }
population:
  units: 2000
  context: { x: { uniform: { min: -1, max: 1 } }, y: { uniform: { min: -1, max: 1 } } }
policies: [plain, neural, uniform]
horizon: 2000
replications: 10
seed: 7
expect:
  - { id: learns, expr: "policy('plain').regret.upper < policy('uniform').regret.lower" }
  - { id: learns-more, expr: "policy('neural').regret.upper < 0.5 * policy('plain').regret.lower" }
  - { id: has-to-learn, expr: "policy('neural').regret.lower > 20.0" }`,
)

/** Linear in the last hidden layer of a network, learnt online, against linear in all pairs of fields. Riquelme, Tucker, Snoek, ICLR 2018. */
it('beats a linear model where nothing linear tells the actions apart', async () => {
  const here = repository({
    'dap.yaml': resource('Project', 'shop', '{}'),
    'models/tower.onnx': fixture('nonlinear.onnx').toString('latin1'),
    'models/tower.yaml': resource(
      'Model',
      'tower',
      `runtime: { type: onnx, file: models/tower.onnx, digest: "${sha256(fixture('nonlinear.onnx'))}" }
inputs: [{ name: x, features: [{ field: x }, { field: y }, { action: z }] }]
output: { type: embedding, width: 12 }`,
    ),
    'policies/plain.yaml': policy('plain', PAIRS),
    'policies/neural.yaml': policy('neural', '[{ model: tower }]'),
    'scenarios/nonlinear.yaml': SCENARIO,
  })
  const { code, stdout, stderr } = await here.dap('simulate nonlinear')
  expect({ code, stderr, stdout }, stdout).toMatchObject({ code: 0 })
})
