/** A valid policy file of 45 lines, of the size that teams write; different for each `i`. */
export function examplePolicy(i: number): string {
  return `apiVersion: dap/v1
kind: Policy
metadata:
  name: offer-${i}
  labels:
    team: monetisation
  description: Which offer the shop shows in market ${i}
spec:
  unit: playerId
  context:
    playerId: { type: string }
    level: { type: integer, minimum: 1, default: 1 }
    platform: { type: string, enum: [ios, android] }
    spend30d: { type: number, minimum: 0, default: 0 }
  features:
    - { field: level, transform: log1p }
    - { field: platform, transform: one-hot }
    - { field: spend30d, transform: bucketize, edges: [0.01, 5, 20] }
  actions:
    - id: none
      features: { price: 0 }
    - id: gold-small
      features: { price: 1.99 }
      eligible: "ctx.level >= ${i % 50}"
    - id: bundle-mid
      features: { price: 4.99 }
      eligible: "ctx.level >= 20 && ctx.platform == 'ios'"
  decision:
    type: single
  algorithm:
    learner:
      type: linear
      l2: 1.0
    exploration:
      type: thompson
  guardrails:
    minProbability: 0.02
    holdout:
      fraction: 0.05
      action: none
    fallback: none
  reward:
    name: purchase
    type: binary
    wait: 72h
    default: 0
`
}
