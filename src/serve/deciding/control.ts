import { jsonFaultPlace, parseJson } from '../json.ts'

/** The kill switch, as its file says: `{"killed": ["shop-offer"], "reason": "prices are wrong"}`. */
export interface Control {
  /** Names of policies whose fallback is served; `*` for all. */
  readonly killed: readonly string[]
  readonly reason?: string
}

export const NOTHING_KILLED: Control = { killed: [] }

/** A mistyped key must not pass for a switch that was not thrown: what is not understood is a fault. */
export function parseControl(text: string): Control | { readonly fault: string } {
  const parsed = parseJson(text)
  if ('fault' in parsed) return { fault: `the control file is not JSON: the fault is at ${jsonFaultPlace(text)}` }
  if ('faults' in parsed) {
    const [{ pointer, detail }] = parsed.faults
    return { fault: `the control file may mean two things: ${pointer} ${detail}` }
  }
  const { value: json } = parsed
  const { killed, reason, ...others } = { ...(json as { killed?: unknown; reason?: unknown } | null) }
  const isText = (value: unknown) => typeof value === 'string'
  const shaped = Array.isArray(killed) && killed.every(isText) && (reason === undefined || isText(reason))
  if (!shaped || Object.keys(others).length > 0) {
    return { fault: 'the control file is not of the form {"killed": ["a-policy"], "reason": "why"}' }
  }
  return json as Control
}
