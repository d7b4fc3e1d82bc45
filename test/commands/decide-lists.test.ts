import { describe, expect, it } from 'vitest'
import { dap } from '../support/run-dap.ts'

const FILES = {
  'dap.yaml': 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n',
  'policies/home-row.yaml': `apiVersion: dap/v1
kind: Policy
metadata: { name: home-row }
spec:
  unit: playerId
  context: { playerId: { type: string }, level: { type: integer, default: 1 } }
  actions:
    - { id: rummy, features: { genre: card, sponsored: false } }
    - { id: poker, features: { genre: card, sponsored: true } }
    - { id: blocks, features: { genre: puzzle, sponsored: false } }
    - { id: casino, features: { genre: dice, sponsored: false }, eligible: ctx.level > 5 }
  decision:
    type: ranking
    slots: 3
    pins: [{ slot: 0, eligible: action.sponsored }]
    quotas: [{ eligible: "action.genre == 'card'", max: 1 }]
  algorithm: { learner: { type: mean }, exploration: { type: softmax, temperature: 0.2 } }
  reward: { name: click, type: binary, wait: 1h }
`,
  'policies/home-page.yaml': `apiVersion: dap/v1
kind: Policy
metadata: { name: home-page }
spec:
  unit: playerId
  context: { playerId: { type: string } }
  actions: [{ id: offer }, { id: news }]
  decision:
    type: slots
    slots: [{ id: hero }, { id: side }, { id: foot, actions: [news] }]
  algorithm: { learner: { type: mean }, exploration: { type: epsilon-greedy, epsilon: 0.1 } }
  guardrails: { minProbability: 0.05 }
  reward: { name: click, type: binary, wait: 1h }
`,
}

const P1 = '--context {"playerId":"p1"}'

describe('dap decide of a list', () => {
  it('says each slot with its probability, as text and as JSON', async () => {
    const words = `decide home-page ${P1} --id d2`
    const { code, stdout } = await dap(words, FILES)
    expect(code).toBe(0)
    expect(stdout).toMatchInlineSnapshot(`
      "0  news  with propensity 0.5
      1  offer  with propensity 1
      2  nothing
      policy home-page 25ea46b910b9, no snapshot, decision d2
      "
    `)
    const { slots, action, propensity, propensities, floor } = JSON.parse((await dap(`${words} --json`, FILES)).stdout)
    expect(slots).toHaveLength(3)
    expect(slots[0]).toMatchObject({ action, propensity, propensities, floor })
  })

  it('explains why an action is third: what else could be, what stands above, what was kept out', async () => {
    const { stdout } = await dap(`decide home-row ${P1} --id d1 --explain`, FILES)
    expect(stdout).toMatchInlineSnapshot(`
      "0  poker  with propensity 1
      1  blocks  with propensity 1
      policy home-row 4c010a41fd2c, no snapshot, decision d1

      slot 0
      action    value    width  probability  propensity  drawn by u in
      poker   unknown  unknown            1           1  [0, 1)  ← 0.5575
      propensity = 0.05 + 0.95 × probability
      kept out by a pin: others must stand there: rummy, blocks
      draw: u = 0.5575458171707367, the first 53 bits of SHA-256("home-row/d1/0")

      slot 1, below poker
      action    value    width  probability  propensity  drawn by u in
      blocks  unknown  unknown            1           1  [0, 1)  ← 0.3143
      propensity = 0.05 + 0.95 × probability
      kept out by a quota that is used up: \`action.genre == 'card'\`: rummy
      draw: u = 0.3142558062138884, the first 53 bits of SHA-256("home-row/d1/1")

      0 rewards learnt; values are expected rewards, widths in units of their noise
      excluded: casino by ctx.level > 5
      "
    `)
    expect((await dap(`decide home-page ${P1} --id d2 --explain`, FILES)).stdout).toContain('slot 2 `foot`')
  })
})

it('what cannot be done with lists is refused in a sentence', async () => {
  const served = await dap('serve --learn --port 0', FILES)
  expect(served.code).toBe(1)
  expect(served.stderr).toMatchInlineSnapshot(`
    "error: there is nothing to serve: policy \`home-page\` decides lists, from which --learn does not learn: leave --learn out, and train it on the log by \`dap train\`; policy \`home-row\` decides lists, from which --learn does not learn: leave --learn out, and train it on the log by \`dap train\`
    hint: \`dap validate\` checks a repository; \`dap bundle POLICY\` makes what --bundle takes
    "
  `)
})
