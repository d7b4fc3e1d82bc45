/** What the repository's own rules say of a plan. */
import type { Block, DeploymentPlan, Orphan, Plan, PlannedChange, RuleFinding } from '../../generated/types.ts'
import type { ChangeRule } from '../../policy/change-rules.ts'
import { ruleHint, ruleText } from '../../titles.ts'

type Judged = Pick<Plan, 'deployments' | 'orphans'>

/** The plan with what rules say of it: those that block are obstacles of their deployment. */
export function withRules<T extends Judged>(plan: T, rules: readonly ChangeRule[], environment: string): T {
  const changes = [...plan.deployments.flatMap(ofDeployment), ...plan.orphans.flatMap(ofOrphan)]
  const found = changes.flatMap(change =>
    rules.flatMap(({ name, level, applies }): RuleFinding[] => {
      const message = applies(change, environment)
      return message === undefined ? [] : [{ rule: name, level, deployment: change.deployment, message }]
    }),
  )
  if (found.length === 0) return plan
  const blocks = (name: string) => found.filter(each => each.level === 'block' && each.deployment === name).map(blockOf)
  return {
    ...plan,
    deployments: plan.deployments.map(each => ({ ...each, blocked: [...each.blocked, ...blocks(each.deployment)] })),
    rules: found,
  }
}

export const blockOf = (finding: RuleFinding): Block => ({
  reason: ruleText(finding),
  hint: ruleHint(finding),
})

function ofDeployment(plan: DeploymentPlan): PlannedChange[] {
  const { deployment, action, desired, changes, fields, drift, evidence, overlap } = plan
  if (action === 'none' || changes.length === 0) return []
  const { policy, deployed, scale, rollout } = desired
  return [
    {
      ...{ kind: action, deployment, policy: policy.name, snapshot: policy.snapshot ?? '' },
      fields: fields.flatMap(({ field, within }) => [field, ...(within?.fields ?? []).map(each => each.field)]),
      drift: drift.map(({ field }) => field),
      evidence: evidence.map(({ kind, name, state }) => ({ kind, name, state })),
      machineType: deployed.machineType,
      minReplicas: scale.minReplicas,
      maxReplicas: scale.maxReplicas,
      traffic: rollout.steps.map(({ percent }) => percent),
      vcpus: overlap?.vcpus ?? 0,
    },
  ]
}

function ofOrphan({ id, deployment, changes }: Orphan): PlannedChange[] {
  if (changes.length === 0) return []
  return [
    {
      ...{ kind: 'delete', deployment: deployment ?? id, policy: '', snapshot: '' },
      ...{
        fields: [],
        drift: [],
        evidence: [],
        machineType: '',
        minReplicas: 0,
        maxReplicas: 0,
        traffic: [],
        vcpus: 0,
      },
    },
  ]
}
