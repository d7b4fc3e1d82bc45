import type { Kind, Specs } from '../kinds.ts'
import { modelsOf } from '../policy/model-outputs.ts'
import { isSet } from '../policy/pool.ts'
import { BASELINES } from '../simulate/baselines.ts'
import type { Path } from './fault.ts'
import type { NamedKind, Resource } from './resource.ts'

/** A place in a resource that names another one. */
export interface Reference {
  readonly kind: NamedKind
  readonly name: string
  /** Where the name stands. */
  readonly path: Path
  /** What may also stand there, and is no resource. */
  readonly builtIn: readonly string[]
  /** Has what it names been taken in already, so that nobody need look it up? */
  readonly taken?: boolean
}

/** Every resource that this one names, in the order of its file: what `validate` looks up, and what `graph` draws. */
export function referencesOf<K extends Kind>(resource: Resource<K> & { readonly spec: Specs[K] }): Iterable<Reference> {
  return REFERENCES[resource.kind](resource.spec)
}

const REFERENCES: { readonly [K in Kind]: (spec: Specs[K]) => Iterable<Reference> } = {
  Project: () => [],
  Environment: () => [],
  ActionSet: () => [],
  Model: () => [],
  *Policy(spec) {
    const { actions, scorer } = spec
    if (isSet(actions)) {
      yield { ...to('ActionSet', actions.set, ['actions', 'set']), taken: actions.pool !== undefined }
    }
    for (const { name, path } of modelsOf(spec)) {
      yield { ...to('Model', name, path), taken: scorer !== undefined }
    }
  },
  *Scenario({ policies }) {
    for (const [i, name] of policies.entries()) yield to('Policy', name, ['policies', i], BASELINES)
  },
  *Dataset({ actions }) {
    if (actions !== undefined && 'policy' in actions) yield to('Policy', actions.policy, ['actions', 'policy'])
  },
  *Evaluation({ dataset, candidates, rewardModel }) {
    yield to('Dataset', dataset, ['dataset'])
    for (const [i, each] of candidates.entries()) {
      if ('policy' in each) yield to('Policy', each.policy, ['candidates', i, 'policy'])
    }
    if (rewardModel?.type === 'model') yield to('Model', rewardModel.model, ['rewardModel', 'model'])
  },
  *Deployment({ environment, policy, evidence }) {
    yield to('Environment', environment, ['environment'])
    yield to('Policy', policy, ['policy'])
    for (const [i, item] of evidence.entries()) {
      if ('evaluation' in item) yield to('Evaluation', item.evaluation, ['evidence', i, 'evaluation'])
      else yield to('Scenario', item.scenario, ['evidence', i, 'scenario'])
    }
  },
}

function to(kind: NamedKind, name: string, path: Path, builtIn: readonly string[] = []): Reference {
  return { kind, name, path: ['spec', ...path], builtIn }
}
