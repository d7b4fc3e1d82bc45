/** Letters of other alphabets that no eye tells from Latin ones, and the Latin ones, in the same order. */
const LETTERS: readonly (readonly [string, string])[] = [
  ['аеѕіјкорсухһԁԛԝАВЕЅІЈКМНОРСТУХ', 'aesijkopcyxhdqwABESIJKMHOPCTYX'],
  ['αικνορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'aikvopuxABEZHIKMNOPTYX'],
]
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/[\u201c-\u201f\u00ab\u00bb]/u, '"'],
  [/[\u2018-\u201b]/u, "'"],
  [/[\u2010-\u2015\u2212]/u, '-'],
  [/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/u, ' '],
  [/[\u00ad\u200b-\u200f\u2060\ufeff]/u, ''],
]

/** The ASCII that a character is taken for; undefined where it is taken for itself. */
function takenFor(char: string): string | undefined {
  const code = char.codePointAt(0)!
  if (code < 0x80) return undefined
  for (const [foreign, latin] of LETTERS) {
    const letter = latin[foreign.indexOf(char)]
    if (letter !== undefined) return letter
  }
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCodePoint(code - 0xfee0)
  return SIGNS.find(([sign]) => sign.test(char))?.[1]
}

/** The text as it looks. */
export function asciiOf(text: string): string {
  return text.replace(/\P{ASCII}/gu, char => takenFor(char) ?? char)
}

/**
 * Of the first character that is not what it looks like, what it is. A letter only counts in a word that has others of ASCII, or where the
 * word is all there is: whoever writes Russian means it.
 */
export function lookAlike(text: string): string | undefined {
  for (const [word] of text.matchAll(/[\p{L}\p{N}_]+|[^\p{L}\p{N}_]/gu)) {
    const mixed = /\p{ASCII}/u.test(word) || word === text
    const letters = /^[\p{L}\p{N}]/u.test(word)
    if (letters && !(mixed && /^\p{ASCII}+$/u.test(asciiOf(word)))) continue
    for (const char of word) if (takenFor(char) !== undefined) return nameOf(char)
  }
  return undefined
}

function nameOf(char: string): string {
  const code = `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  const looks = takenFor(char)!
  if (looks === '') return `there is an invisible character in it, ${code}`
  return looks === ' ' ? `a blank in it is no blank, but ${code}` : `\`${char}\` is ${code}, and not \`${looks}\``
}
