import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import type { Resources } from '../state.ts'
import { message } from './fields.ts'

const DEFAULT_MACHINE = 'n1-standard-2'
const DEFAULT_TARGET = 60
const METRICS = ['accelerator/duty_cycle', 'cpu/utilization', 'request_count'].map(
  metric => `aiplatform.googleapis.com/prediction/online/${metric}`,
)

/** The dedicated resources of a deployed model, checked, with their defaults. */
export function checkResources(deployedModel: JsonObject): Resources {
  if (deployedModel.automaticResources)
    throw broken('automatic-resources', "'automatic_resources' is not supported for a model with a custom container.")
  if (deployedModel.sharedResources) throw broken('shared-resources', 'The emulator has no deployment resource pools.')
  if (!deployedModel.dedicatedResources)
    throw broken('deployed-resources', 'prediction_resources of the DeployedModel are not set.')
  const resources = deployedModel.dedicatedResources as JsonObject
  const machine = message(resources, 'machineSpec')
  const machineType = String(machine.machineType || DEFAULT_MACHINE) // rule: machine-type-default
  vcpus(machineType)

  const least = Number(resources.minReplicaCount ?? 0)
  const most = Number(resources.maxReplicaCount || least)
  const needed = Number(resources.requiredReplicaCount ?? 0)
  if (least < 1) throw broken('replica-count', `min_replica_count is ${least}: at least 1.`)
  if (most < least) throw broken('replica-count', `max_replica_count ${most} is below min_replica_count ${least}.`)
  if (needed < 0 || needed > least)
    throw broken('replica-count', `required_replica_count ${needed} is not from 0 to min_replica_count ${least}.`)

  const specs = ((resources.autoscalingMetricSpecs ?? []) as readonly JsonObject[]).map(spec => {
    const metricName = String(spec.metricName ?? '')
    const target = Number(spec.target || DEFAULT_TARGET)
    if (!METRICS.includes(metricName)) throw broken('autoscaling-metric', `Unknown metric "${metricName}".`)
    if (!(target >= 1 && target <= 100))
      throw broken('autoscaling-target', `The target ${target} of ${metricName} is not from 1 to 100.`)
    return { metricName, target }
  })
  const repeated = specs.find(({ metricName }, i) => specs.findIndex(spec => spec.metricName === metricName) !== i)
  if (repeated) throw broken('autoscaling-metric', `${repeated.metricName} is specified more than once.`)
  return {
    ...resources,
    machineSpec: { ...machine, machineType },
    minReplicaCount: least,
    maxReplicaCount: most,
    ...(specs.length > 0 && { autoscalingMetricSpecs: specs }),
  }
}

/** `n2-standard-4`, `a2-highgpu-1g` → 4, 1. */
export function vcpus(machineType: string): number {
  const [, count] = /^[a-z]\d[a-z0-9]*-[a-z]+-(\d+)g?$/.exec(machineType) ?? []
  if (count === undefined) throw broken('machine-type', `Unsupported machine type "${machineType}".`)
  return Number(count)
}
