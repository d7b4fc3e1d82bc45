import type { DecisionRecord, RewardRecord } from '../log/records/records.ts'
import { cleaned } from './cloud.ts'
import { short } from './numbers.ts'
import type { Style } from './style.ts'

/** What is known of a decision when its reward comes. */
export interface ShownDecision {
  readonly unit: string | undefined
  /** Slot by slot; null where nothing stands. */
  readonly actions: readonly (string | null)[]
}

/** Below this many columns an id is known by its end. */
const ROOM_FOR_IDS = 100
const END_OF_ID = 12

/** Records as lines whose columns are as wide as the widest cell so far. */
export function createTailText(style: Style, columns: number) {
  const widths = [0, 0, 0]
  const idText = (id: string) => (columns < ROOM_FOR_IDS && id.length > END_OF_ID + 2 ? `…${id.slice(-END_OF_ID)}` : id)
  const line = (ts: string, cells: readonly string[], end: string) => {
    const padded = cells.map((cell, i) => {
      widths[i] = Math.min(MOST_WIDTH, Math.max(widths[i], cell.length))
      return cell.padEnd(widths[i])
    })
    return `${style.dim(ts.slice(11, 23).replace('Z', ''))}  ${padded.join('  ')}  ${end}`
  }
  return {
    decision(untrusted: DecisionRecord): string {
      const { ts, decisionId, unit = '-', slots, served } = cleaned(untrusted)
      const by = served.by === 'policy' ? '' : `  ${style.yellow(served.by)}`
      return line(
        ts,
        [idText(decisionId), unit, slots.map(({ action }) => action ?? '-').join(', ')],
        `${slots.map(({ propensity }) => (propensity === null ? '-' : short(propensity))).join(', ')}${by}`,
      )
    },
    reward(untrusted: RewardRecord, decision: ShownDecision | undefined): string {
      const { ts, receivedTs = ts, decisionId, slot, kind, name = 'reward', value } = cleaned(untrusted)
      const { unit = '-', actions = [] } = decision === undefined ? {} : cleaned(decision)
      // An activation of no slot is of the whole list.
      const whole = kind === 'activation' && slot === undefined
      const action = whole ? actions.map(each => each ?? '-').join(', ') : actions.at(slot ?? 0)
      const what = kind === 'activation' ? 'activated' : `${name} ${value === undefined ? '' : short(value)}`
      const came = slot === undefined || actions.length < 2 ? what : `${what} in slot ${slot}`
      return line(receivedTs, [idText(decisionId), unit, action ?? '-'], style.green(came))
    },
  }
}

/** A wider cell stands out by itself. */
const MOST_WIDTH = 36
