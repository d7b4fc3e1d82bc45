import type { WeightedSums } from './intervals/cressie-read.ts'
import { countExcess, decisionCount, type LogSums, totalAt } from './log-sums.ts'
import { type CandidateSums, MOMENT } from './sums.ts'

/**
 * A row's number a whose mean over the decisions is estimated, Σha/H (Hájek), is replaced by a′ = ĥ(a − α) + α, with H = Σh and
 * ĥ = h·n/H: over the n rows it has that mean, and for α near it the spread of the mean's influence function (Särndal, Swensson,
 * Wretman, "Model Assisted Survey Sampling", 1992, section 5.7). What is said of plain means then holds. Where every decision was
 * kept, a′ = a.
 */
interface Term {
  /** Σha */
  readonly sum: number
  /** Σ(h² − h)a */
  readonly excess: number
  /** α */
  readonly centre: number
}

/** Σw′, Σw′², Σy′, Σy′² and Σw′y′ of the series at `at`; w′ about the 1 that its mean must be, y′ about its own mean. */
export function rowSums(log: LogSums, sums: CandidateSums, at: number): WeightedSums {
  const { rows, moments } = sums
  const k = scale(log)
  const w = weightTerm(sums, 1)
  const sum = totalAt(moments, at)
  const y = { sum, excess: totalAt(moments, at + 6), centre: sum / decisionCount(log) }
  return {
    rows,
    w: k * w.sum,
    ww: product(log, totalAt(moments, MOMENT.ww), w, w),
    y: k * y.sum,
    yy: product(log, totalAt(moments, at + 2), y, y),
    wy: product(log, totalAt(moments, at + 4), w, y),
  }
}

/** Σw′ and Σw′² with w′ about its own mean. */
export function weightSums(log: LogSums, sums: CandidateSums): Pick<WeightedSums, 'w' | 'ww'> {
  const sum = totalAt(sums.moments, MOMENT.w)
  const w = weightTerm(sums, sum / decisionCount(log))
  return { w: scale(log) * sum, ww: product(log, totalAt(sums.moments, MOMENT.ww), w, w) }
}

/** a′ of a row that stands for as many decisions as any does. */
export function heaviest(log: LogSums, a: number, centre: number): number {
  const h = log.maxStandsFor * scale(log)
  return h * a + (1 - h) * centre
}

/** n/H: by what h is multiplied to be 1 in the mean. */
function scale(log: LogSums): number {
  return log.rows / decisionCount(log)
}

function weightTerm({ moments }: CandidateSums, centre: number): Term {
  return { sum: totalAt(moments, MOMENT.w), excess: totalAt(moments, MOMENT.excess), centre }
}

/** Σ a′b′, from Σ h²ab; with k = n/H, Σh² = H + E and Σh²a = Σha + Eₐ, in the order that leaves Σ ab exactly where every h is 1. */
function product(log: LogSums, ab: number, a: Term, b: Term): number {
  const k = scale(log)
  const shift = k * (b.centre * a.sum + a.centre * b.sum) - log.rows * a.centre * b.centre
  const excess = a.centre * b.centre * countExcess(log) - b.centre * a.excess - a.centre * b.excess
  return k * k * ab + (1 - k) * shift + k * k * excess
}
