/** Sums over units that have something in common within, and nothing between them: how far are they from what was expected of them? */

/** With fewer units nobody knows how they spread. */
export const FEWEST_UNITS = 10

export interface GroupSpread {
  readonly taken: number
  readonly expected: number
  /** Σ taken / Σ expected. */
  readonly ratio: number
  /** Of Σ taken − Σ expected, by the delete-a-group jackknife: Kott, J. Off. Stat. 17(4), 2001. */
  readonly variance: number
  /** Kish's number of groups, (Σ expected)² / Σ expected². */
  readonly units: number
}

/** Of sums by group of units; groups are independent. */
export function spreadOfGroups(
  groups: number,
  takenAt: (group: number) => number,
  expectedAt: (group: number) => number,
): GroupSpread {
  let [taken, expected, squares] = [0, 0, 0]
  for (let g = 0; g < groups; g++) {
    const e = expectedAt(g)
    taken += takenAt(g)
    expected += e
    squares += e * e
  }
  const ratio = taken / expected
  let variance = 0
  for (let g = 0; g < groups; g++) {
    const rest = (takenAt(g) - ratio * expectedAt(g)) / (1 - expectedAt(g) / expected)
    variance += rest * rest
  }
  return { taken, expected, ratio, variance, units: (expected * expected) / squares }
}

/** One of several sums of the same rows. */
export interface DrawnSum {
  /** As `GroupSpread` has it, and what it would be if draws were independent. */
  readonly variance: number
  readonly independent: number
  /** Sum of the squares of which `independent` is what a mean leaves. */
  readonly square: number
  readonly rows: number
}

/**
 * How much more sums of groups spread than those of independent draws, at least 1, on average over `sums`, weighted by rows: the design
 * effect of Kish, "Survey Sampling", 1965. Where all units draw once and keep what they got, it is the number of their decisions.
 *
 * @param most What it would be if each unit drew once: taken where no draw differs from another, so that nothing tells.
 */
export function designEffect(sums: readonly DrawnSum[], most: number): number {
  let [sum, weight] = [0, 0]
  for (const { variance, independent, square, rows } of sums) {
    if (!(independent > ROUNDING * square)) continue
    sum += (rows * variance) / independent
    weight += rows
  }
  return weight === 0 ? most : Math.max(1, sum / weight)
}

/** What rounding leaves of a difference that is 0. */
const ROUNDING = 1e-9
