/** A line of text as it is being typed. */
export interface Line {
  readonly typed: string
  /** Once Enter was pressed behind something that will do. */
  readonly value?: string
  /** Why what is typed will not do, from Enter to the next letter. */
  readonly fault?: string
}

/** What was typed further; nothing typed is `standard`. `\r` is Enter, `\b` takes a letter back. */
export function typedOn(
  before: Line,
  input: string,
  standard: string,
  check: (text: string) => string | undefined,
): Line {
  let at = before
  for (const letter of input) {
    if (at.value !== undefined) return at
    if (letter === '\b' || letter === '\u007f') at = { typed: at.typed.slice(0, -1) }
    else if (letter === '\r' || letter === '\n') {
      const value = at.typed.trim() || standard
      const fault = check(value)
      at = fault === undefined ? { typed: at.typed, value } : { typed: at.typed, fault }
    } else if (letter >= ' ') at = { typed: at.typed + letter }
  }
  return at
}
