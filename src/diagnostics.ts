/** A fault in a user's file is data: collected, returned, printed at the end; never thrown one by one. */
export type { Diagnostic, DiagnosticCode } from './generated/types.ts'

/** The name nearest to `word`, by edit distance, else the one that it is short for, as a hint; undefined when none is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates]
  let best: string | undefined
  // A word of which most letters differ is not near, so a short one is only near to what it nearly is.
  let bestDistance = Math.min(Math.max(2, Math.floor(word.length / 3)), Math.floor(word.length / 2)) + 1
  for (const candidate of names) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  best ??= longFor(word, names)
  return best === undefined ? undefined : `did you mean \`${best}\`?`
}

/** The only name that the word begins, that begins the word, or that has all of its letters in order and not many more. */
function longFor(given: string, names: readonly string[]): string | undefined {
  const word = given.toLowerCase()
  if (word.length < 3) return undefined
  const found = names.filter(each => {
    const name = each.toLowerCase()
    if (name.length < 3 || name[0] !== word[0]) return false
    if (name.startsWith(word) || /^[-_.]/.test(word.startsWith(name) ? word.slice(name.length) : '')) return true
    let at = 0
    for (const letter of name) if (letter === word[at]) at++
    return at === word.length && word.length * 2 >= name.length
  })
  return found.length === 1 ? found[0] : undefined
}

/** Damerau-Levenshtein distance (optimal string alignment), or `limit` as soon as it is known to reach that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let previous = new Uint16Array(0)
  let current = Uint16Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = new Uint16Array(b.length + 1)
    next[0] = i
    let rowBest = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let d = Math.min(current[j] + 1, next[j - 1] + 1, current[j - 1] + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, previous[j - 2] + 1)
      next[j] = d
      rowBest = Math.min(rowBest, d)
    }
    if (rowBest >= limit) return limit
    previous = current
    current = next
  }
  return current[b.length]
}

/** The text with what a terminal would act on made visible; texts that quote files go to terminals. Lines stay lines. */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
