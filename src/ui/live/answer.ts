/** A question that is answered by yes or no, as it is being answered. */
export interface Answer {
  readonly typed: string
  /** Once Enter was pressed behind something that is an answer. */
  readonly yes?: boolean
  /** Enter was pressed behind something else. */
  readonly unclear: boolean
}

export const UNANSWERED: Answer = { typed: '', unclear: false }

const WORDS: Readonly<Record<string, boolean>> = { y: true, yes: true, n: false, no: false, '': false }

/** What was typed further; of a paste all letters at once. `\r` is Enter, `\u007f` takes a letter back, Escape is a no. */
export function answered(before: Answer, input: string): Answer {
  let at = before
  for (const letter of input) {
    if (at.yes !== undefined) return at
    if (letter === '\u001b') at = { typed: 'n', yes: false, unclear: false }
    else if (letter === '\u007f' || letter === '\b') at = { typed: at.typed.slice(0, -1), unclear: false }
    else if (letter === '\r' || letter === '\n') {
      const word = at.typed.trim().toLowerCase()
      at = Object.hasOwn(WORDS, word) ? { ...at, yes: WORDS[word] } : { typed: '', unclear: true }
    } else if (letter >= ' ') at = { typed: at.typed + letter, unclear: false }
  }
  return at
}
