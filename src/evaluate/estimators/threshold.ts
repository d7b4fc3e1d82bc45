/** A probability that is 1, but for the rounding of a sum. */
export const CERTAIN = 1 - 1e-9

/** The largest weight that is at λ, but for the rounding of the propensities that it was made of. */
export const reaches = (lambda: number): number => lambda * (1 + 1e-12)
