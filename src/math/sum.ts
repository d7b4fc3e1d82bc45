/**
 * Adds `value` to the compensated sum in `sums[i]`, whose running compensation is `sums[i + 1]`; the total is their sum.
 * Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974.
 */
export function addTo(sums: Float64Array, i: number, value: number): void {
  const sum = sums[i]
  const next = sum + value
  sums[i + 1] += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
  sums[i] = next
}

/** Σ term(i) for i below `count`, compensated. */
export function compensated(count: number, term: (i: number) => number): number {
  const sums = new Float64Array(2)
  for (let i = 0; i < count; i++) addTo(sums, 0, term(i))
  return sums[0] + sums[1]
}
