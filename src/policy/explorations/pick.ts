/** The eligible action at which the cumulated `weights` (one per action, ≥ 0, their sum given) first exceed u · sum. */
export function pick(weights: Float64Array, sum: number, eligible: Int32Array, count: number, u: number): number {
  const target = u * sum
  let cumulated = 0
  let last = eligible[0]
  for (let i = 0; i < count; i++) {
    const action = eligible[i]
    if (weights[action] === 0) continue
    cumulated += weights[action]
    if (target < cumulated) return action
    last = action
  }
  // Rounding left the total just short of the target.
  return last
}
