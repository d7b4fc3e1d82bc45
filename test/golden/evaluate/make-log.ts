/**
 * A log that every clone can make, and the tables of candidates that are judged on it:
 *
 *     node test/golden/evaluate/make-log.ts FOLDER
 *
 * Sums, products and quotients alone, so that the bytes are the same on every machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Rng, stream } from '../../../src/math/rng.ts'

const ROWS = 3000
const SLOTS = 3
const XS = 5
const ACTIONS = 6

/** Every reward_number that there can be is between these. */
export const REWARD_NUMBER_RANGE = { lower: -3, upper: 11 }

/** Dyadic where slot and x are 0, so that weights of `by_slot` are exactly 0.5, 1 and 2 there. */
const DYADIC = [0.125, 0.25, 0.25, 0.125, 0.125, 0.125]

/** Name of a file → its text. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'log.csv': log(),
    'by_slot.csv': table('slot', SLOTS, slot =>
      slot === 0
        ? [0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
        : normalised(each(ACTIONS, a => 1 + ((5 * slot + 4 * a) % 7))),
    ),
    'by_x.csv': table('x', XS, x => normalised(each(ACTIONS, a => 1 + ((2 * x + 5 * a) % 9)))),
    'chosen_by_slot.csv': table('slot', SLOTS, slot => each(ACTIONS, a => (a === (4 * slot + 1) % ACTIONS ? 1 : 0))),
  }
}

/** `row` counts from 0; b_A is the logging policy's probability of action A, pi_A that of the candidate `contextual`. */
function log(): string {
  const rng = stream(20261128, 'golden', 'evaluate')
  const actions = each(ACTIONS, a => a)
  const header = ['row', 'slot', 'x', 'action', 'propensity', 'reward', 'reward_number']
  const lines = [[...header, ...actions.map(a => `b_${a}`), ...actions.map(a => `pi_${a}`)]]
  for (let row = 0; row < ROWS; row++) {
    const slot = Math.floor(SLOTS * rng.uniform())
    const x = Math.floor(XS * rng.uniform())
    const b = logging(slot, x)
    const action = draw(b, rng)
    const reward = rng.uniform() < 0.04 + 0.02 * ((slot + 2 * x + 3 * action) % 7) ? 1 : 0
    const rewardNumber = 3 + 0.5 * ((slot + x + 2 * action) % 5) + nearlyNormal(rng)
    const pi = normalised(actions.map(a => 0.2 + ((slot + x + a) % 3) + 2 * rng.uniform()))
    lines.push([row, slot, x, action, b[action], reward, rewardNumber, ...b, ...pi].map(String))
  }
  return csv(lines)
}

function logging(slot: number, x: number): readonly number[] {
  if (slot === 0 && x === 0) return DYADIC
  return normalised(each(ACTIONS, a => 1 + ((7 * slot + 3 * x + 5 * a + slot * x * a) % 11)))
}

function table(by: string, cells: number, probabilities: (cell: number) => readonly number[]): string {
  const rows = each(cells, cell => probabilities(cell).map((p, a) => [cell, a, p].map(String))).flat()
  return csv([[by, 'action', 'probability'], ...rows])
}

function draw(probabilities: readonly number[], rng: Rng): number {
  let rest = rng.uniform()
  for (let a = 0; a < ACTIONS - 1; a++) {
    rest -= probabilities[a]
    if (rest < 0) return a
  }
  return ACTIONS - 1
}

/** Mean 0, variance 1, in [−6, 6]. */
function nearlyNormal(rng: Rng): number {
  let sum = -6
  for (let i = 0; i < 12; i++) sum += rng.uniform()
  return sum
}

function normalised(weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map(weight => weight / sum)
}

function each<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** Numbers are written as JavaScript does, with the fewest digits that lead back to the same double. */
function csv(lines: readonly (readonly string[])[]): string {
  return lines.map(cells => `${cells.join(',')}\n`).join('')
}

if (import.meta.main) {
  const [, , folder] = process.argv
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(generatedFiles())) writeFileSync(join(folder, name), text)
}
