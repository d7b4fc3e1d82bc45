import { exp, log } from './elementary.ts'
import { integrate, NODES, node, unresolved, weight } from './legendre.ts'
import { densitiesOf, type Posterior } from './posterior.ts'

/** Widths of panels in spreads of the narrowest density: of the first, in the thin of a tail, and of the others. */
const FIRST_PANEL = 4
const WIDEST_PANEL = 2.7
const NARROWEST_PANEL = 1e-3
/** The largest last Legendre coefficient, times the panel's width, of a density (total mass 1), and of the integrand. */
const DENSITY_TOLERANCE = 1e-7
const INTEGRAND_TOLERANCE = 1e-4
/** More than any that can be told apart in double precision take. */
const MOST_PANELS = 5000
/** The largest draw is below where the march ends with no more than this probability. */
const REST = 1e-15

/**
 * P(action a has the largest draw) for independent draws: ∫ f_a ∏_{b≠a} F_b. Panels of 16 Gauss-Legendre nodes march from the highest
 * end of a density down to where ∏ F, the probability that the largest draw is lower still, has vanished. A density joins at its upper
 * end, and F_a, which is 1 above that, is carried down by the panel's integration matrix; what can never win never joins.
 *
 * Error: collocation at Gauss nodes is of order 32 in the panel's width, for the F as for the integral, and the coefficients of these
 * entire (normal) and nearly entire (beta) functions fall ever faster, so that one of degree 15 below 1e-7 leaves a panel an error of
 * about its square. With what lies beyond the ends of the densities and of the march: about 1e-13, absolute. The result sums to 1.
 */
export function probabilityBest(posteriors: readonly Posterior[]): Float64Array {
  const k = posteriors.length
  const best = new Float64Array(k)
  const densities = densitiesOf(posteriors)
  const { spread, lower, upper } = densities
  let bottom = -Infinity
  let top = -Infinity
  for (let a = 0; a < k; a++) {
    bottom = Math.max(bottom, lower[a])
    top = Math.max(top, upper[a])
  }
  if (!Number.isFinite(top - bottom))
    throw new RangeError('a value or its width is not a finite number, so that no probability can be computed')
  // In the order in which they join. What follows is by this rank.
  const rank = Array.from(posteriors, (_, a) => a).sort((a, b) => upper[b] - upper[a] || a - b)
  if (scratch.cdf.length < k) scratch = createScratch(k)
  const { z, f, F, cdf, after, wins, winsHere } = scratch
  cdf.fill(1, 0, k)
  wins.fill(0, 0, k)

  let joined = 0
  let narrowest = Infinity
  let stretch = FIRST_PANEL
  let start = top
  let rest = 1
  for (let panels = 0; start > bottom && rest > REST; panels++) {
    if (panels === MOST_PANELS) throw new RangeError('the widths of the values are too different to be compared')
    let width = Math.min(stretch * narrowest, start - bottom)
    for (; joined < k && upper[rank[joined]] > start - width; joined++) {
      // A panel that is wide for this one ends where it begins.
      const own = spread[rank[joined]]
      width = Math.min(width, Math.max(stretch * own, start - upper[rank[joined]]))
      narrowest = Math.min(narrowest, own)
    }
    const half = width / 2
    for (let j = 0; j < NODES; j++) z[j] = start + half * (node[j] - 1)

    let error = 0
    densities.visit(z)
    for (let i = 0; i < joined; i++) {
      densities.write(rank[i], z, f, i * NODES)
      error = Math.max(error, width * unresolved(f, i * NODES))
    }
    const growth = panelGrowth(error)
    if (error > DENSITY_TOLERANCE && stretch > NARROWEST_PANEL) {
      stretch *= growth
      continue
    }

    rest = 1
    for (let i = 0; i < joined; i++) {
      after[i] = integrate(f, i * NODES, cdf[i], half, F)
      rest *= after[i]
    }
    if (width * integrateWins(joined, half) > INTEGRAND_TOLERANCE && stretch > NARROWEST_PANEL) {
      stretch /= 2
      rest = 1
      continue
    }
    for (let i = 0; i < joined; i++) {
      cdf[i] = after[i]
      wins[i] += winsHere[i]
    }
    start -= width
    stretch = Math.min(WIDEST_PANEL, growth * stretch)
  }

  let sum = 0
  for (let i = 0; i < joined; i++) sum += wins[i]
  for (let i = 0; i < joined; i++) best[rank[i]] = Math.max(0, wins[i]) / sum
  return best
}

let scratch = createScratch(32)

/** What a march of k densities writes on: by node; by density and node; by density. */
function createScratch(k: number) {
  return {
    z: new Float64Array(NODES),
    product: new Float64Array(NODES),
    integrand: new Float64Array(NODES),
    f: new Float64Array(k * NODES),
    F: new Float64Array(k * NODES),
    cdf: new Float64Array(k),
    after: new Float64Array(k),
    wins: new Float64Array(k),
    winsHere: new Float64Array(k),
  }
}

/**
 * From f and F to the panel's part of ∫ f_a ∏_{b≠a} F_b in `winsHere`; f is used up. Returns how far from resolved the sum of the
 * integrands is.
 */
function integrateWins(joined: number, half: number): number {
  const { product, integrand, f, F, winsHere } = scratch
  product.fill(1)
  for (let i = 0; i < joined; i++) {
    for (let j = 0; j < NODES; j++) {
      f[i * NODES + j] *= product[j]
      product[j] *= F[i * NODES + j]
    }
  }
  product.fill(1)
  integrand.fill(0)
  for (let i = joined - 1; i >= 0; i--) {
    let sum = 0
    for (let j = 0; j < NODES; j++) {
      const term = f[i * NODES + j] * product[j]
      sum += weight[j] * term
      integrand[j] += term
      product[j] *= F[i * NODES + j]
    }
    winsHere[i] = half * sum
  }
  return unresolved(integrand, 0)
}

/** The coefficients read are of degree 14 and 15, so a panel's error goes with the 15th power of its width. */
function panelGrowth(error: number): number {
  const growth = 0.9 * exp(log(DENSITY_TOLERANCE / (error + 1e-300)) / 15)
  return Math.min(1.6, Math.max(0.25, growth))
}
