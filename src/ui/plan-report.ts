import type { DeploymentPlan, Orphan, Plan } from '../deploy/wanted/plan.ts'
import type { RuleFinding } from '../generated/types.ts'
import { otherFindings, ruleHint, ruleText } from '../titles.ts'
import { cleaned, orphanName } from './cloud.ts'
import type { Case, Finding, Report } from './formats/report.ts'
import { isQuiet, namesOf, orphanNames, planSummary, stepsOf, wordOf } from './plan.ts'

/**
 * A case for each change, for what is in the way of one, for what a rule of the repository says, and for what somebody else has moved; one
 * for a deployment where there is none of them.
 *
 * @param fileOf Where a deployment is declared, as far as that is known, relative to `folder`.
 */
export function planReport(
  untrusted: Plan,
  folder: string,
  fileOf: (deployment: string) => string | undefined,
): Report {
  const plan = cleaned(untrusted)
  const cases = [
    ...plan.deployments.flatMap((each, i) => deploymentCases(each, fileOf(untrusted.deployments[i].deployment))),
    ...plan.orphans.map(each => orphanCase(each, plan.environment.name)),
    ...otherFindings(untrusted).map(each => ruleCase(cleaned(each), fileOf(each.deployment))),
  ]
  return { summary: `${plan.environment.name}: ${planSummary(plan).replace(/\.$/, '')}`, folder, cases }
}

function deploymentCases(plan: DeploymentPlan, file: string | undefined): Case[] {
  const { deployment: suite, blocked, drift, changes, desired } = plan
  const finding = (rest: Omit<Finding, 'place'>): Finding[] => [
    { ...rest, ...(file === undefined ? {} : { place: { file } }) },
  ]
  const cases: Case[] = [
    ...blocked.map(({ reason, hint }) => ({
      suite,
      name: reason,
      findings: finding({ rule: 'plan-blocked', level: 'error', message: `${suite} is blocked: ${reason}`, hint }),
    })),
    ...drift.map(({ field, git, applied, live }) => ({
      suite,
      name: `${field} is as it was applied`,
      findings: finding({
        rule: 'plan-drift',
        level: 'warning',
        message: `${suite}: somebody has moved \`${field}\`: Git says ${git ?? 'nothing'}, ${applied ?? 'nothing'} was applied, ${live ?? 'nothing'} is live`,
      }),
    })),
    ...stepsOf(changes, desired.rollout.gates, namesOf(plan)).map(({ title, hold }) => ({
      suite,
      name: hold === '' ? title : `${title}, ${hold}`,
      findings: [],
    })),
  ]
  if (cases.length > 0) return cases
  return [{ suite, name: isQuiet(plan) ? 'unchanged' : wordOf(plan), findings: [] }]
}

function orphanCase(orphan: Orphan, environment: string): Case {
  const suite = orphanName(orphan, environment)
  if (orphan.changes.length > 0) {
    const steps = stepsOf(orphan.changes, [], orphanNames(orphan))
    return { suite, name: steps.map(({ title }) => title).join(', '), findings: [] }
  }
  const message = `no Deployment declares ${suite}${orphan.kept === null ? '' : `: ${orphan.kept}`}`
  return { suite, name: 'is declared', findings: [{ rule: 'plan-orphan', level: 'warning', message }] }
}

/** What a rule says that is in no deployment's way: a warning, or that something may not be deleted. */
function ruleCase(found: RuleFinding, file: string | undefined): Case {
  const reason = ruleText(found)
  const hint = ruleHint(found)
  const { deployment: suite, level } = found
  const place = file === undefined ? {} : { place: { file } }
  return {
    suite,
    name: reason,
    findings: [
      level === 'block'
        ? { rule: 'plan-blocked', level: 'error', message: `${suite} is blocked: ${reason}`, hint, ...place }
        : { rule: 'plan-rule', level: 'warning', message: `${suite}: ${reason}`, hint, ...place },
    ],
  }
}
