import { integrate, NODES, node, unresolved, weight } from './legendre.ts'

/**
 * A unimodal density on the whole real line, known up to a constant factor. All posteriors that are compared with each other
 * live on one axis: the value itself for `mean` and `linear`, its logit for `beta` (an argmax does not mind).
 */
export interface Posterior {
  readonly mode: number
  /** Width of the bulk: the standard deviation of the normal that fits the mode's curvature. */
  readonly spread: number
  /** At `mode + offset`: so that modes far from 0 cost no digits. */
  logDensity(offset: number): number
}

/** A density ends where it has fallen to e^−DROP of its mode's. */
const DROP = 32
/** The first panel's width and the widest one's, in spreads of the narrowest density that is still alive. */
const PANEL = 1.5
const WIDEST_PANEL = 4
const NARROWEST_PANEL = 1e-3
/** The largest last Legendre coefficient, times the panel's width, of a density (total mass about 1), and of the integrand. */
const DENSITY_TOLERANCE = 1e-7
const INTEGRAND_TOLERANCE = 1e-4

/**
 * P(action a has the largest draw) for independent draws: ∫ f_a ∏_{b≠a} F_b. Panels of 16 Gauss-Legendre nodes march over the range
 * where the largest draw can lie; each F is the integral of its own density by the panel's integration matrix, so that nothing but
 * the log-densities is needed, and their normalisers cancel. Absolute error about 1e-13; the result sums to 1.
 */
export function probabilityBest(posteriors: readonly Posterior[]): Float64Array {
  const best = new Float64Array(posteriors.length)
  const origin = posteriors.reduce((max, { mode }) => Math.max(max, mode), -Infinity)
  const densities = posteriors.map(posterior => bounded(posterior, origin))
  // The largest draw is above every lower end; a density that ends below that point never wins, and its F is 1 all along.
  const from = densities.reduce((max, { lower }) => Math.max(max, lower), -Infinity)
  const contestants = densities.flatMap((density, index) => (density.upper > from ? [{ ...density, index }] : []))
  if (contestants.length === 0) throw new RangeError('probabilityBest: a posterior is not a density')
  if (contestants.length === 1) {
    best[contestants[0].index] = 1
    return best
  }
  // Those that live longest come first, so that the living are always the first `alive`.
  contestants.sort((a, b) => b.upper - a.upper || a.index - b.index)
  const cdf = new Float64Array(contestants.length)
  const wins = new Float64Array(contestants.length)
  const scratch = createScratch(contestants.length)
  const mass = new Float64Array(1)
  const ignored = new Float64Array(1)
  contestants.forEach((density, k) => {
    mass[0] = 0
    march([density], density.lower, from, mass, ignored, scratch)
    cdf[k] = mass[0]
  })
  march(contestants, from, contestants[0].upper, cdf, wins, scratch)
  let sum = 0
  for (const win of wins) sum += win
  contestants.forEach(({ index }, k) => {
    best[index] = Math.max(0, wins[k]) / sum
  })
  return best
}

/** A density where it matters, scaled to a total mass of about 1; places are relative to a common origin. */
interface Density {
  readonly lower: number
  readonly upper: number
  readonly spread: number
  at(z: number): number
}

function bounded(posterior: Posterior, origin: number): Density {
  const { spread } = posterior
  const mode = posterior.mode - origin
  const peak = posterior.logDensity(0)
  const below = reach(posterior, peak, -1)
  const above = reach(posterior, peak, 1)
  const step = 2 * spread
  let mass = 0
  for (let d = 0; d < above; d += step) mass += Math.exp(posterior.logDensity(d) - peak)
  for (let d = step; d < below; d += step) mass += Math.exp(posterior.logDensity(-d) - peak)
  const logMass = peak + Math.log(mass * step)
  return {
    lower: mode - below,
    upper: mode + above,
    spread,
    at: z => Math.exp(posterior.logDensity(z - mode) - logMass),
  }
}

/** How far from the mode the density has fallen by DROP, to a quarter of a spread, rounded up. */
function reach({ spread, logDensity }: Posterior, peak: number, direction: 1 | -1): number {
  const alive = (distance: number): boolean => logDensity(direction * distance) > peak - DROP
  let inside = 0
  let outside = 4 * spread
  while (alive(outside)) {
    inside = outside
    outside *= 3
  }
  while (outside - inside > 0.25 * spread) {
    const middle = (inside + outside) / 2
    if (alive(middle)) inside = middle
    else outside = middle
  }
  return outside
}

type Scratch = ReturnType<typeof createScratch>

/** What a march over n densities or fewer writes on: by density and node, by density, by node. */
function createScratch(n: number) {
  return {
    f: new Float64Array(n * NODES),
    F: new Float64Array(n * NODES),
    before: new Float64Array(n),
    cdfAfter: new Float64Array(n),
    winsHere: new Float64Array(n),
    integrand: new Float64Array(NODES),
  }
}

/**
 * Integrates from `from` to `to`: adds ∫ f_a to `cdf[a]`, which holds F_a(from), and ∫ f_a ∏_{b≠a} F_b to `wins[a]`. The densities
 * are ordered by falling upper end. A panel that some density, or the integrand, varies too much in is halved and done again.
 */
function march(
  densities: readonly Density[],
  from: number,
  to: number,
  cdf: Float64Array,
  wins: Float64Array,
  { f, F, before, integrand, cdfAfter, winsHere }: Scratch,
): void {
  const n = densities.length
  let alive = n
  let start = from
  let stretch = PANEL

  while (start < to) {
    while (densities[alive - 1].upper <= start) alive--
    let narrowest = Infinity
    for (let a = 0; a < alive; a++) narrowest = Math.min(narrowest, densities[a].spread)
    const width = Math.min(stretch * narrowest, to - start)
    const half = width / 2

    let densityError = 0
    for (let a = 0; a < alive; a++) {
      for (let j = 0; j < NODES; j++) f[a * NODES + j] = densities[a].at(start + half * (node[j] + 1))
      densityError = Math.max(densityError, width * unresolved(f, a * NODES))
    }
    const growth = panelGrowth(densityError)
    if (densityError > DENSITY_TOLERANCE && stretch > NARROWEST_PANEL) {
      stretch *= growth
      continue
    }

    for (let a = 0; a < alive; a++) cdfAfter[a] = integrate(f, a * NODES, cdf[a], half, F)
    let finished = 1
    for (let a = alive; a < n; a++) finished *= cdf[a]
    winsHere.fill(0, 0, n)
    for (let j = 0; j < NODES; j++) {
      let product = finished
      for (let a = 0; a < alive; a++) {
        before[a] = product
        product *= F[a * NODES + j]
      }
      product = 1
      let all = 0
      for (let a = alive - 1; a >= 0; a--) {
        const term = f[a * NODES + j] * before[a] * product
        winsHere[a] += half * weight[j] * term
        all += term
        product *= F[a * NODES + j]
      }
      integrand[j] = all
    }
    if (width * unresolved(integrand, 0) > INTEGRAND_TOLERANCE && stretch > NARROWEST_PANEL) {
      stretch /= 2
      continue
    }

    for (let a = 0; a < alive; a++) {
      cdf[a] = cdfAfter[a]
      wins[a] += winsHere[a]
    }
    start = width === to - start ? to : start + width
    stretch = Math.min(WIDEST_PANEL, growth * stretch)
  }
}

/** The coefficients read are of degree 14 and 15, so a panel's error goes with the 15th power of its width. */
function panelGrowth(error: number): number {
  const growth = 0.9 * Math.exp(Math.log(DENSITY_TOLERANCE / (error + 1e-300)) / 15)
  return Math.min(1.6, Math.max(0.25, growth))
}
