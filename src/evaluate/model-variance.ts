import { type TabularModel, trainsOn } from './reward-model.ts'
import { decisionCount, type LogSums, meanReward, totalAt } from './weights/log-sums.ts'
import type { CandidateSums } from './weights/sums.ts'

/**
 * Standard errors of the direct estimate V = (1/H) Σᵢ hᵢvᵢ, vᵢ = Σₐ π(a|xᵢ) q(cᵢ, a), H = Σh, under a tabular model, and of its
 * difference from the mean reward r̄ on the same rows, by the influence function: a row moves V by its own v, and by what its
 * reward does to the tables of the folds that it trains:
 *
 *   H·IFⱼ = hⱼ ((vⱼ − V) + γⱼ (rⱼ − μ) + (H·βⱼ − δ)(μ − r̄)),   γⱼ = H·αⱼ + H·βⱼ − δ
 *   αⱼ = Σ_g M_g(c, a) / (H (N_g(c, a) + p_g(c, a)))
 *   βⱼ = Σ_g (1/H_g) Σ_{c', a'} M_g(c', a') · p_g(c', a') / (H (N_g(c', a') + p_g(c', a')))
 *
 * (c, a) is j's cell and action, μ the mean reward there over the whole log, M_g(c, a) the candidate's probability of a
 * summed over the decisions of fold g in c, N_g and H_g the Σh of the rows that fold g's table was made from, there and in all,
 * p_g its prior there, taken as a constant; g runs over the folds that train on j; δ is 1 for the difference and 0 for the
 * value. V̂ar = Σⱼ IFⱼ². Within a cell v and r are taken as uncorrelated, which they are when the model is right.
 */
export function directStandardErrors(
  log: LogSums,
  model: TabularModel,
  sums: CandidateSums,
  folds: number,
  value: number,
): { readonly value: number; readonly lift: number } {
  const { actions } = log
  const h = decisionCount(log)
  const { byAction, cellOf, cells } = model
  const strata = cellOf.length
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
      const prior = model.prior[g * size + at]
      const denominator = model.count[g * size + at] + prior
      if (m === 0) continue
      if (denominator > 0) alpha[g * size + at] = m / (h * denominator)
      beta[g] += (m / h) * (denominator > 0 ? prior / denominator : 1)
    }
    beta[g] = model.total[g] > 0 ? beta[g] / model.total[g] : 0
  }

  const overall = meanReward(log)
  const variance = [0, 0]
  for (let s = 0; s < strata; s++) {
    const fold = s % folds
    for (let a = 0; a < actions; a++) {
      // Σh², and below Σh²v, Σh²v², Σh²(r − μ) and Σh²(r − μ)².
      const hh = log.count[s * actions + a] + log.countExcess[s * actions + a]
      if (hh === 0) continue
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
      const r = totalAt(log.reward, 2 * (s * actions + a)) + totalAt(log.rewardExcess, 2 * (s * actions + a)) - hh * mu
      const rr = totalAt(log.rewardSquared, 2 * (s * actions + a)) - 2 * mu * (r + hh * mu) + hh * mu * mu
      for (let delta = 0; delta <= 1; delta++) {
        const offset = (h * shared - delta) * (mu - overall) - value
        const gamma = h * own + h * shared - delta
        const constant = v + hh * offset
        const square = vv + 2 * offset * v + hh * offset * offset
        variance[delta] += square + (2 * gamma * constant * r) / hh + gamma * gamma * rr
      }
    }
  }
  return { value: Math.sqrt(Math.max(0, variance[0])) / h, lift: Math.sqrt(Math.max(0, variance[1])) / h }
}
