import { readFileSync } from 'node:fs'

/** A JSON file of this folder; `T` says what the test expects of it. */
export function goldenJson<T>(path: string): T {
  return JSON.parse(text(path)) as T
}

/** The rows of a CSV file of numbers, without its header. */
export function goldenRows(path: string): number[][] {
  const [, ...lines] = text(path).trim().split('\n')
  return lines.map(line => line.split(',').map(Number))
}

function text(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}
