/** The largest weight that is at λ, but for the rounding of the propensities that it was made of. */
export const reaches = (lambda: number): number => lambda * (1 + 1e-12)
