import type { Entry } from '../../policy/pool.ts'

type Features = NonNullable<Entry['features']>

/** How far two actions are from each other, between 0 and 1; by their indices. */
export type Distance = (one: number, other: number) => number

/**
 * The mean over their features of |x − y| / the feature's range, of numbers, and of 1 where other values differ; one that only one of them has
 * differs (Gower, "A general coefficient of similarity and some of its properties", Biometrics 27, 1971). Undefined where some action is
 * not among the entries, or where none has features.
 */
export function distanceOf(ids: readonly string[], entries: readonly Entry[]): Distance | undefined {
  const known = new Map<string, Features>(entries.map(({ id, features = {} }) => [id, features]))
  const all = ids.map(id => known.get(id)).filter(features => features !== undefined)
  const names = [...new Set(all.flatMap(features => Object.keys(features)))]
  if (all.length < ids.length || names.length === 0) return undefined
  const columns = names.map(name => scaled(all.map(features => features[name])))
  return (one, other) => {
    let sum = 0
    for (let f = 0; f < columns.length; f++) {
      const { values, numeric } = columns[f]
      const [x, y] = [values[one], values[other]]
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue
      sum += numeric && !Number.isNaN(x) && !Number.isNaN(y) ? Math.abs(x - y) : 1
    }
    return sum / columns.length
  }
}

/** Numbers between 0 and 1, others as codes; NaN: absent. */
function scaled(values: readonly unknown[]): { readonly values: Float64Array; readonly numeric: boolean } {
  const there = values.filter(value => value !== undefined && value !== null)
  if (there.every(value => typeof value === 'number')) {
    const least = there.reduce((a, b) => Math.min(a, b), Infinity)
    const range = there.reduce((a, b) => Math.max(a, b), -Infinity) - least
    const place = (value: number) => (range > 0 ? (value - least) / range : 0)
    return {
      values: Float64Array.from(values, value => (typeof value === 'number' ? place(value) : NaN)),
      numeric: true,
    }
  }
  const codes = new Map<string, number>()
  const code = (value: unknown) => {
    if (value === undefined || value === null) return Number.NaN
    const text = JSON.stringify(value)
    const known = codes.get(text) ?? codes.size
    codes.set(text, known)
    return known
  }
  return { values: Float64Array.from(values, code), numeric: false }
}

/** The mean distance of the pairs of a list; 0 where it has none. `places`: of actions among the eligible, −1 for nothing. */
export function diversityOf(places: Int32Array, eligible: Int32Array, distance: Distance): number {
  let sum = 0
  let pairs = 0
  for (let k = 1; k < places.length; k++) {
    if (places[k] < 0) continue
    for (let j = 0; j < k; j++) {
      if (places[j] < 0) continue
      sum += distance(eligible[places[j]], eligible[places[k]])
      pairs++
    }
  }
  return pairs === 0 ? 0 : sum / pairs
}
