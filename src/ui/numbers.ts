/** Four significant digits, without exponents where a reader would rather not meet one. */
import { groupedDigits } from '../grouped.ts'
export function short(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e7 || size < 1e-6) return value.toExponential(2)
  if (size >= 1000) return grouped(Math.round(value))
  return Number(value.toPrecision(4)).toString()
}

export function signed(value: number): string {
  return value > 0 ? `+${short(value)}` : short(value)
}

/** 12345 as 12,345. */
/** Counts of weighted rows are no whole numbers. */
export function grouped(value: number): string {
  if (!Number.isInteger(value) && Number.isFinite(value)) return short(value)
  return groupedDigits(value)
}

export function percent(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(3))} %`
}

/** `1 file`, `2 files`, `3 policies`. */
export function plural(count: number, noun: string): string {
  const many = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`
  return `${grouped(count)} ${count === 1 ? noun : many}`
}
