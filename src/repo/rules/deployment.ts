import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../repository.ts'
import { filePath, milliseconds, reference, semantic } from './common.ts'

export function* deploymentRules({ spec }: Resource<'Deployment'>, repository: Lookup): Generator<Fault> {
  const { environment, policy, snapshot, resources, rollout, evidence } = spec
  yield* reference('Environment', environment, ['spec', 'environment'], repository)
  yield* reference('Policy', policy, ['spec', 'policy'], repository)
  if (snapshot !== undefined) yield* filePath(snapshot, ['spec', 'snapshot'], repository)
  if (resources.minReplicas > resources.maxReplicas) {
    const message = `\`minReplicas\` ${resources.minReplicas} is more than \`maxReplicas\` ${resources.maxReplicas}`
    yield semantic(['spec', 'resources', 'minReplicas'], message)
  }
  const { steps, gates } = rollout
  const path = ['spec', 'rollout']
  const falling = steps.findIndex((step, i) => i > 0 && step.traffic <= steps[i - 1].traffic)
  if (falling !== -1)
    yield semantic([...path, 'steps', falling, 'traffic'], 'the traffic of the steps must be ascending')
  else if (steps.at(-1)!.traffic !== 1) {
    const message = `the last step must have all traffic, got \`${steps.at(-1)!.traffic}\``
    yield semantic([...path, 'steps', steps.length - 1, 'traffic'], message, 'end with `{ traffic: 1 }`')
  }
  for (const [i, gate] of gates.entries()) {
    if (gate.metric === 'latencyP99' && milliseconds(gate.max) === 0) {
      yield semantic([...path, 'gates', i, 'max'], 'no request is answered in no time')
    }
  }
  for (const [i, item] of evidence.entries()) {
    const at = ['spec', 'evidence', i]
    if ('evaluation' in item) yield* reference('Evaluation', item.evaluation, [...at, 'evaluation'], repository)
    else yield* reference('Scenario', item.scenario, [...at, 'scenario'], repository)
  }
}
