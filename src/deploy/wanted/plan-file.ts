/** A plan as a file. It is approved by people and read by machines, and may come from anywhere. */
import { PLAN_SCHEMA } from '../../generated/names.ts'
import { planShape } from '../../generated/plan-shape.ts'
import { fileText } from '../../policy/digest.ts'
import { documentFaults } from '../../schema/document.ts'
import { type Plan, planDigest } from './plan.ts'

export function planFile(plan: Plan): string {
  return fileText(plan)
}

/** A plan from its JSON, or what is wrong with it. Never throws. */
export function readPlan(json: unknown): { readonly plan: Plan } | { readonly faults: readonly string[] } {
  const faults = documentFaults(json, 'plan', PLAN_SCHEMA, planShape)
  if (faults.length > 0) return { faults }
  const plan = json as Plan
  if (planDigest(plan) !== plan.digest) return { faults: ['the plan is not what its digest says: it was edited'] }
  return { plan }
}
