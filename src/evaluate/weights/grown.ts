/** `array`, or a longer copy of it filled up with `value`. */
export function grown(array: Float64Array, length: number, value = 0): Float64Array {
  if (array.length >= length) return array
  const longer = new Float64Array(length).fill(value, array.length)
  longer.set(array)
  return longer
}
