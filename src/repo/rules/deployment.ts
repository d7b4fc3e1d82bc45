import type { DeploymentSpec } from '../../kinds.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { filePath, milliseconds, samePath, semantic } from './common.ts'
import { machineTypeHint } from './machine-types.ts'

export function* deploymentRules(deployment: Resource<'Deployment'>, repository: Lookup): Generator<Fault> {
  const { environment, snapshot, resources, rollout, evidence } = deployment.spec
  const { spec } = deployment
  if (snapshot !== undefined) yield* filePath(snapshot, ['spec', 'snapshot'], repository)
  if (resources.minReplicas > resources.maxReplicas) {
    const message = `\`minReplicas\` ${resources.minReplicas} is more than \`maxReplicas\` ${resources.maxReplicas}`
    yield semantic(['spec', 'resources', 'minReplicas'], message, 'swap them, or correct one of them')
  }
  yield* machineRules(resources.machineType)
  yield* movedRules(deployment, repository)
  yield* stepRules(rollout)
  yield* gateRules(rollout, repository.get('Environment', environment)?.spec.target === 'vertex')
  for (const [i, item] of evidence.entries()) {
    const path = ['spec', 'evidence', i]
    if ('evaluation' in item) yield* evaluationRules(item.evaluation, spec, [...path, 'evaluation'], repository)
    else yield* scenarioRules(item.scenario, spec, [...path, 'scenario'], repository)
  }
}

/** An endpoint is kept by one Deployment, and not while the one that it was of is there still. */
function* movedRules(deployment: Resource<'Deployment'>, repository: Lookup): Generator<Fault> {
  const from = movedFrom(deployment)
  if (from === undefined) return
  const path = ['spec', 'moved']
  const others = repository.all('Deployment')
  const declared = others.some(({ name, spec }) => `${spec.environment}/${name}` === from)
  if (from === `${deployment.spec.environment}/${deployment.name}`) {
    yield { ...semantic(path, '`moved` says what it is called now', 'it says what it was called before'), on: 'key' }
  } else if (declared) {
    const message = `\`moved\` says that this was \`${from}\`, which is there still`
    yield { ...semantic(path, message, 'take one of them out: two cannot have the same endpoint'), on: 'key' }
  } else if (others.some(each => each.name !== deployment.name && movedFrom(each) === from)) {
    yield {
      ...semantic(path, `another Deployment was \`${from}\`, too`, 'only one of them keeps the endpoint'),
      on: 'key',
    }
  }
}

function movedFrom({ name, spec: { environment, moved } }: Resource<'Deployment'>): string | undefined {
  return moved && `${moved.environment ?? environment}/${moved.deployment ?? name}`
}

/** A typo in it is refused by the cloud only when it is deployed. */
function* machineRules(machineType: string): Generator<Fault> {
  const hint = machineTypeHint(machineType)
  if (hint === undefined) return
  const message = `there is no machine type \`${machineType}\` that dap knows of`
  yield { ...semantic(['spec', 'resources', 'machineType'], message, hint), severity: 'warning' }
}

const ROLLOUT = ['spec', 'rollout']

function* stepRules({ steps }: DeploymentSpec['rollout']): Generator<Fault> {
  const path = (step: number) => [...ROLLOUT, 'steps', step, 'traffic']
  for (const [i, { traffic }] of steps.entries()) {
    if (Math.abs(traffic * 100 - Math.round(traffic * 100)) < 1e-9) continue
    const message = `traffic is split by whole percents, and \`${traffic}\` is none`
    yield semantic(path(i), message, 'write a fraction of two digits, such as `0.05`')
  }
  const falling = steps.findIndex((step, i) => i > 0 && step.traffic <= steps[i - 1].traffic)
  if (falling !== -1)
    yield semantic(
      path(falling),
      'the traffic of the steps must be ascending',
      `step ${falling} before it has \`${steps[falling - 1].traffic}\` already: write more than that`,
    )
  else if (steps.at(-1)!.traffic !== 1) {
    const message = `the last step must have all traffic, got \`${steps.at(-1)!.traffic}\``
    yield semantic(path(steps.length - 1), message, 'end with `{ traffic: 1 }`')
  }
}

/** Cloud Monitoring shows a request 120 to 360 s after it was answered. */
const METRICS_LAG = '6m'

function* gateRules({ steps, gates }: DeploymentSpec['rollout'], monitored: boolean): Generator<Fault> {
  for (const [i, gate] of gates.entries()) {
    if (gate.metric === 'latencyP99' && milliseconds(gate.max) === 0) {
      yield semantic([...ROLLOUT, 'gates', i, 'max'], 'no request is answered in no time', 'for example `max: 100ms`')
    }
  }
  if (gates.length === 0) return
  const holds = steps.flatMap(({ hold = '0s' }, step) => (milliseconds(hold) === 0 ? [] : [{ step, hold }]))
  if (holds.length === 0) {
    const hint = 'give a step one, for example `{ traffic: 0.1, hold: 10m }`'
    yield {
      ...semantic([...ROLLOUT, 'gates'], 'gates are watched during a `hold`, and no step has one', hint),
      on: 'key',
    }
  }
  for (const { step, hold } of holds) {
    if (!monitored || milliseconds(hold) >= milliseconds(METRICS_LAG)) continue
    const message = `the gates may see nothing in ${hold}: Cloud Monitoring is up to ${METRICS_LAG} behind`
    const path = [...ROLLOUT, 'steps', step, 'hold']
    yield { ...semantic(path, message, 'hold for `10m` or longer'), severity: 'warning' }
  }
}

/** Evidence about something else than what is deployed, or that no result could refute. */
function* evaluationRules(
  name: string,
  { policy, snapshot }: DeploymentSpec,
  path: Path,
  repository: Lookup,
): Generator<Fault> {
  const evaluation = repository.get('Evaluation', name)?.spec
  if (evaluation === undefined) return
  const snapshots = evaluation.candidates.flatMap(candidate =>
    'policy' in candidate && candidate.policy === policy ? [candidate.snapshot] : [],
  )
  if (!snapshots.some(judged => samePath(judged, snapshot))) {
    const which = snapshot === undefined ? ' without a snapshot' : ` with the snapshot \`${snapshot}\``
    const message = `the evaluation \`${name}\` does not judge \`${policy}\`${snapshots.length === 0 ? '' : which}`
    const file = snapshot === undefined ? '' : `, snapshot: ${snapshot}`
    yield semantic(path, message, `it needs a candidate \`{ name: …, policy: ${policy}${file} }\``)
  }
  if (evaluation.gates.length === 0) yield idle(`the evaluation \`${name}\` has no gates`, path)
}

function* scenarioRules(name: string, { policy }: DeploymentSpec, path: Path, repository: Lookup): Generator<Fault> {
  const scenario = repository.get('Scenario', name)?.spec
  if (scenario === undefined) return
  if (!scenario.policies.includes(policy)) {
    const message = `the scenario \`${name}\` does not play \`${policy}\``
    yield semantic(path, message, `add \`${policy}\` to its \`policies\``)
  }
  if (scenario.expect.length === 0) yield idle(`the scenario \`${name}\` has no expectations`, path)
}

function idle(what: string, path: Path): Fault {
  return {
    ...semantic(path, `${what}: as evidence it always passes`, 'give it one, or take it out of `evidence`'),
    severity: 'warning',
  }
}
