import type { ProgressEvent } from '../../command.ts'
import { grouped } from '../numbers.ts'

/** How far a run is, and how fast it is now. Times are milliseconds of any clock. */
export interface Pace {
  readonly unit: string
  readonly done: number
  readonly total?: number
  readonly began: number
  /** When the rate was last looked at, and what was done then. */
  readonly at: number
  readonly doneThen: number
  /** Units per millisecond, weighted by how long ago; `weight` is the sum of the weights. */
  readonly rate: number
  readonly weight: number
}

/** What is this long ago counts 1/e. */
const MEMORY_MS = 4_000

/** Of less time than this nothing can be said: progress comes in batches. */
const LEAST_MS = 200

/** No rate is shown before. */
const SILENT_MS = 1_000

/** The pace after an event; another unit, or a count that goes back, begins anew. */
export function paced(before: Pace | undefined, { unit, done, total }: ProgressEvent, now: number): Pace {
  const known = total === undefined ? {} : { total }
  if (before === undefined || before.unit !== unit || done < before.done) {
    return { unit, done, ...known, began: now, at: now, doneThen: done, rate: 0, weight: 0 }
  }
  const { began, at, doneThen } = before
  const ms = now - at
  if (ms < LEAST_MS) return { ...before, done, ...known }
  const kept = Math.exp(-ms / MEMORY_MS)
  return {
    ...{ unit, done, ...known, began, at: now, doneThen: done },
    rate: before.rate * kept + ((done - doneThen) / ms) * (1 - kept),
    weight: before.weight * kept + (1 - kept),
  }
}

/** `12.3 M rows · 8.1 M/s`, `120 of 200 replications · 40/s · 2 s left`. */
export function paceText(pace: Pace): string {
  const { unit, done, total, began, at, rate, weight } = pace
  const count = total === undefined ? amount(done) : `${amount(done)} of ${amount(Math.max(done, total))}`
  const perSecond = weight === 0 || at - began < SILENT_MS ? 0 : (rate / weight) * 1000
  if (perSecond === 0) return `${count} ${unit}`
  const left = total === undefined ? undefined : Math.max(0, total - done) / perSecond
  return [`${count} ${unit}`, `${amount(perSecond)}/s`, ...(left === undefined ? [] : [`${timeLeft(left)} left`])].join(
    ' · ',
  )
}

/** 0.42, 8.1, 12,345, 123 k, 12.3 M. */
function amount(value: number): string {
  if (value < 10) return String(Number(value.toPrecision(2)))
  if (value < 100_000) return grouped(Math.round(value))
  const [size, letter] = value < 999_500 ? [1e3, 'k'] : value < 999_500_000 ? [1e6, 'M'] : [1e9, 'G']
  const scaled = value / size
  return `${scaled < 100 ? scaled.toFixed(1) : Math.round(scaled)} ${letter}`
}

function timeLeft(seconds: number): string {
  const s = Math.ceil(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}
