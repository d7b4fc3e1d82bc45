import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { ScenarioSpec } from '../../src/kinds.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { type PolicyOptions, policy, scenario } from './support.ts'

/** A mean pseudo-regret curve with 95 % half-widths, from the goldens. */
export interface Reference {
  readonly alg: string
  readonly env: 'E1_two' | 'E2_low10'
  readonly tie: 'random' | 'lowest'
  readonly alpha: number
  readonly horizon: number
  readonly checkpoints: readonly number[]
  readonly mean_pseudo_regret: readonly number[]
  readonly ci95_half: readonly number[]
}

export const readGolden = (file: string) => readFileSync(new URL(`../golden/simulate/${file}`, import.meta.url), 'utf8')

/** Every checkpoint: |m − ref| ≤ 4 √(s²/n + (ref_ci/1.96)²), the goldens' rule of acceptance. */
export function expectRegret(
  reference: Reference,
  spec: Partial<ScenarioSpec>,
  options: PolicyOptions,
  replications: number,
) {
  const played = policy('played', options)
  const { horizon, checkpoints } = reference
  const plan = scenario({
    ...spec,
    policies: ['played'],
    horizon,
    checkpoints,
    replications,
    seed: 2026,
  })
  const { regret } = prepare({ scenario: plan, policies: [played] }).play(0, replications)
  const columns = checkpoints.map((_, c) => regret.filter((_, i) => i % checkpoints.length === c))
  const misses = columns.flatMap((values, c) => {
    const mean = values.reduce((a, b) => a + b, 0) / replications
    const variance = values.reduce((a, b) => a + (b - mean) * (b - mean), 0) / (replications - 1)
    const reached = reference.ci95_half[c] / 1.96
    const allowed = 4 * Math.sqrt(variance / replications + reached * reached)
    const miss = { t: checkpoints[c], mean, reference: reference.mean_pseudo_regret[c], allowed }
    return Math.abs(mean - miss.reference) <= allowed ? [] : [miss]
  })
  expect(misses).toEqual([])
}
