import type { Route, Traffic } from '../routes.ts'
import { sameTraffic } from '../wanted/roles.ts'

/** Tells what this run does to traffic and deployed models from what somebody else does to them meanwhile. */
export interface ForeignMoves {
  /** While something goes on that this run has not begun, they may move. */
  tolerate(moves: boolean): void
  /** A deployed model that comes or goes by a call of this run. */
  touch(deployedModel: string): void
  /** A write of this run that may have made the traffic this, or left it. */
  writes(traffic: Traffic | undefined): void
  /** What somebody else has moved between two looks. */
  between(before: Route, after: Route): 'the traffic' | 'the deployed models' | undefined
  /** The endpoint was looked at: the last write is in it, or was never done. */
  looked(): void
}

export function createForeignMoves(): ForeignMoves {
  const touched = new Set<string>()
  let tolerant = false
  let written: Traffic | undefined

  const others = (shares: Traffic) =>
    Object.fromEntries(Object.entries(shares).filter(([model]) => !touched.has(model)))
  const same = (a: Traffic, b: Traffic) => sameTraffic(others(a), others(b))
  const models = ({ workloads }: Route) => Object.fromEntries(workloads.map(model => [model.id, 1]))

  return {
    tolerate(moves) {
      tolerant = moves
    },
    touch: deployedModel => void touched.add(deployedModel),
    writes(traffic) {
      written = traffic
    },
    between(before, after) {
      if (tolerant) return undefined
      const expected = written === undefined ? [before.traffic] : [before.traffic, written]
      if (!expected.some(traffic => same(traffic, after.traffic))) return 'the traffic'
      return same(models(before), models(after)) ? undefined : 'the deployed models'
    },
    looked() {
      written = undefined
    },
  }
}
