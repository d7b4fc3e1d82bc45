import type { Overlap } from '../../generated/types.ts'
import type { Desired } from './desired.ts'

/** What a second version of a deployment adds while the first one is still up. */
export function overlapOf({ deployed, scale, rollout }: Desired, prices: Readonly<Record<string, number>>): Overlap {
  const { machineType } = deployed
  const { minReplicas, maxReplicas } = scale
  const cpus = vcpusOf(machineType)
  const ms = rollout.steps.reduce((sum, { holdMs }) => sum + holdMs, rollout.rollbackWindowMs)
  const price = Object.hasOwn(prices, machineType) ? prices[machineType] : undefined
  const cost = (replicas: number) => ((price ?? 0) * replicas * ms) / 3_600_000
  return {
    machineType,
    minReplicas,
    maxReplicas,
    vcpus: cpus && cpus * maxReplicas,
    ms,
    cost: price === undefined ? null : { least: cost(minReplicas), most: cost(maxReplicas) },
  }
}

/** Types with a part of a core, whose names do not say so; quota counts them like this. */
const SHARED_CORE: Readonly<Record<string, number>> = {
  'e2-micro': 2,
  'e2-small': 2,
  'e2-medium': 2,
  'f1-micro': 1,
  'g1-small': 1,
}

/** vCPUs by the name of a machine type: `n2-standard-4`, `c3-standard-22-lssd`, `n2-custom-6-20480`; null where it does not say. */
export function vcpusOf(machineType: string): number | null {
  const found = /^[a-z][a-z0-9]*-[a-z]+-(\d+)(-[a-z0-9]+)*$/.exec(machineType)
  return found ? Number(found[1]) : (SHARED_CORE[machineType] ?? null)
}
