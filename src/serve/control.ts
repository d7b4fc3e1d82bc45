import { jsonFaultPlace } from './json.ts'

/** The kill switch, as its file says: `{"killed": ["shop-offer"], "reason": "prices are wrong"}`. */
export interface Control {
  /** Names of policies whose fallback is served; `*` for all. */
  readonly killed: readonly string[]
  readonly reason?: string
}

export const NOTHING_KILLED: Control = { killed: [] }

/** A mistyped key must not pass for a switch that was not thrown: what is not understood is a fault. */
export function parseControl(text: string): Control | { readonly fault: string } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { fault: `the control file is not JSON: the fault is at ${jsonFaultPlace(text)}` }
  }
  const { killed, reason, ...others } = { ...(json as { killed?: unknown; reason?: unknown } | null) }
  const isText = (value: unknown) => typeof value === 'string'
  const shaped = Array.isArray(killed) && killed.every(isText) && (reason === undefined || isText(reason))
  if (!shaped || Object.keys(others).length > 0) {
    return { fault: 'the control file is not of the form {"killed": ["a-policy"], "reason": "why"}' }
  }
  return json as Control
}
