import { DapError } from '../errors.ts'
import type { PolicySpec } from '../kinds.ts'
import { forgettingOf } from '../policy/forgetting.ts'
import type { SnapshotData } from '../policy/snapshot-format.ts'
import type { MergedStatistics } from '../policy/statistics.ts'

/** Does the policy's learner forget? `ts` is the log's column of times, without which it cannot: a DapError. */
export function forgetsByTime(
  policy: { readonly name: string; readonly spec: PolicySpec },
  dataset: string,
  ts: string | undefined,
): boolean {
  if (forgettingOf(policy.spec.algorithm.learner) === undefined) return false
  if (ts !== undefined) return true
  throw new DapError(`\`${policy.name}\` forgets by the times of decisions, and Dataset \`${dataset}\` has none`, {
    hint: 'say which column is the `ts` in its `mapping`, or take `discount` and `window` out of the learner',
  })
}

/** What a learner that forgets still knows of the rows that it was shown, and what there is to say of the others. */
export function memoryOf(
  statistics: MergedStatistics,
  shown: number,
  until: number | undefined,
): { readonly remembered?: SnapshotData['remembered']; readonly forgotten: readonly string[] } {
  const memory = statistics.remembered(until)
  if (memory === undefined) return { forgotten: [] }
  const learnt = statistics.learnt(until)
  const total = (numbers: Float64Array) => numbers.reduce((sum, each) => sum + each, 0)
  const { bucket, buckets } = memory
  const [since, at] = [memory.since, memory.at].map(time => new Date(time).toISOString())
  const [rows, effectiveRows] = [learnt.rows, learnt.effective].map(total)
  if (rows === 0) {
    throw new DapError(`every row that could be learnt is of before ${since}, and no longer counts`, {
      hint: 'lengthen `discount.halfLife` or `window` of the learner, or look back from earlier with --until',
    })
  }
  const old = shown - rows
  const forgotten =
    old === 0
      ? []
      : [`${old} ${old === 1 ? 'row' : 'rows'} of before ${since} no longer ${old === 1 ? 'counts' : 'count'}`]
  return { remembered: { bucket, buckets, since, at, rows, effectiveRows }, forgotten }
}
