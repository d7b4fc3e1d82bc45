/** Nothing is done that nobody has seen. */
import { canonicalJson } from '../../policy/digest.ts'
import { changeTitle } from '../../titles.ts'
import { type Change, isMemory } from '../change.ts'
import { conflict } from './conflict.ts'

/** Two changes that do the same to the same. */
export function sameChange(a: Change, b: Change): boolean {
  return keyOf(a) === keyOf(b)
}

function keyOf(change: Change): string {
  if (change.kind === 'hold') return `hold ${change.step}`
  return change.kind === 'shift-traffic' ? canonicalJson(change.to) : changeTitle(change)
}

/** A conflict where something is left that was not approved. What was approved may have been done already. */
export function refuseOthers(deployment: string, left: readonly Change[], approved: readonly Change[]): void {
  let from = 0
  for (const change of left) {
    if (isMemory(change)) continue
    const found = approved.findIndex((each, index) => index >= from && sameChange(each, change))
    if (found < 0) {
      throw conflict(
        `\`${deployment}\`: \`${changeTitle(change)}\` is to be done by now, which was not part of the plan`,
        '`dap plan` makes another plan',
      )
    }
    from = found + 1
  }
}
