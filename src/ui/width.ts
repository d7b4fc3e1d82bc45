import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'

const PLAIN = /^[\x20-\x7e]*$/

/** How many columns of a terminal a text takes: colours none, East-Asian letters and emoji two. */
export function displayWidth(text: string): number {
  const bare = stripVTControlCharacters(text)
  return PLAIN.test(bare) ? bare.length : stringWidth(bare)
}

const clusters = new Intl.Segmenter()

/** A text of at most `columns`, its middle left out: its beginning and its end tell it from others. */
export function shortened(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  const letters = [...clusters.segment(stripVTControlCharacters(text))].map(({ segment }) => segment)
  let [head, tail, left] = ['', '', columns - 1]
  for (let from = 0, to = letters.length - 1; from <= to; ) {
    const letter = head.length <= tail.length ? letters[from] : letters[to]
    left -= displayWidth(letter)
    if (left < 0) break
    if (head.length <= tail.length) {
      head += letter
      from++
    } else {
      tail = letter + tail
      to--
    }
  }
  return `${head}…${tail}`
}
