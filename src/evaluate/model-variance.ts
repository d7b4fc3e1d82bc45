import { type LogSums, totalAt } from './log-sums.ts'
import { type TabularModel, trainsOn } from './reward-model.ts'
import { type CandidateSums, MOMENT } from './sums.ts'

/**
 * Standard errors of the direct estimate V = (1/n) Σᵢ vᵢ, vᵢ = Σₐ π(a|xᵢ) q(cᵢ, a), under a tabular model, and of its
 * difference from the mean reward r̄ on the same rows, by the influence function: a row moves V by its own v, and by what its
 * reward does to the tables of the folds that it trains:
 *
 *   n·IFⱼ = (vⱼ − V) + γⱼ (rⱼ − μ) + (n·βⱼ − δ)(μ − r̄),   γⱼ = n·αⱼ + n·βⱼ − δ
 *   αⱼ = Σ_g M_g(c, a) / (n (N_g(c, a) + prior)),   βⱼ = Σ_g (1/n_g) Σ_{c', a'} M_g(c', a') · prior / (n (N_g(c', a') + prior))
 *
 * (c, a) is j's cell and action, μ the mean reward there over the whole log, M_g(c, a) the candidate's probability of a
 * summed over the rows of fold g in c, N_g and n_g the rows that fold g's table was made from, there and in all; g runs over
 * the folds that train on j; δ is 1 for the difference and 0 for the value. V̂ar = Σⱼ IFⱼ². Within a cell v and r are taken as
 * uncorrelated, which they are when the model is right.
 */
export function directStandardErrors(
  log: LogSums,
  model: TabularModel,
  sums: CandidateSums,
  folds: number,
): { readonly value: number; readonly lift: number } {
  const { actions, rows: n } = log
  const { byAction, prior, cellOf, cells } = model
  const strata = cellOf.length
  const value = totalAt(sums.moments, MOMENT.dm) / n
  const size = cells * actions
  const mass = new Float64Array(folds * size)
  const count = new Float64Array(size)
  const reward = new Float64Array(size)
  for (let s = 0; s < strata; s++) {
    const fold = s % folds
    for (let a = 0; a < actions; a++) {
      const at = cellOf[s] * actions + (byAction ? a : 0)
      mass[fold * size + at] += sums.mass[s * actions + a]
      count[at] += log.count[s * actions + a]
      reward[at] += totalAt(log.reward, 2 * (s * actions + a))
    }
  }
  // By fold: α of a row that fold g's table was made from, by cell and action, and β.
  const alpha = new Float64Array(folds * size)
  const beta = new Float64Array(folds)
  for (let g = 0; g < folds; g++) {
    for (let at = 0; at < size; at++) {
      const m = mass[g * size + at]
      const denominator = model.count[g * size + at] + prior
      if (m === 0) continue
      if (denominator > 0) alpha[g * size + at] = m / (n * denominator)
      beta[g] += (m / n) * (denominator > 0 ? prior / denominator : 1)
    }
    beta[g] = model.rows[g] > 0 ? beta[g] / model.rows[g] : 0
  }

  const meanReward = totalAt(log.total, 0) / n
  const variance = [0, 0]
  for (let s = 0; s < strata; s++) {
    const fold = s % folds
    for (let a = 0; a < actions; a++) {
      const rows = log.count[s * actions + a]
      if (rows === 0) continue
      const at = cellOf[s] * actions + (byAction ? a : 0)
      const mu = reward[at] / count[at]
      let own = 0
      let shared = 0
      for (let g = 0; g < folds; g++) {
        if (!trainsOn(folds, g, fold)) continue
        own += alpha[g * size + at]
        shared += beta[g]
      }
      const v = sums.value[s * actions + a]
      const vv = sums.valueSquared[s * actions + a]
      const r = totalAt(log.reward, 2 * (s * actions + a)) - rows * mu
      const rr = totalAt(log.rewardSquared, 2 * (s * actions + a)) - 2 * mu * (r + rows * mu) + rows * mu * mu
      for (let delta = 0; delta <= 1; delta++) {
        const offset = (n * shared - delta) * (mu - meanReward) - value
        const gamma = n * own + n * shared - delta
        const constant = v + rows * offset
        const square = vv + 2 * offset * v + rows * offset * offset
        variance[delta] += square + (2 * gamma * constant * r) / rows + gamma * gamma * rr
      }
    }
  }
  return { value: Math.sqrt(Math.max(0, variance[0])) / n, lift: Math.sqrt(Math.max(0, variance[1])) / n }
}
