/** Breaks a sentence between words; every line but the first is indented. */
export function wrap(text: string, columns: number, indent: string): string {
  const width = Math.max(30, Math.min(columns, 120) - indent.length)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${indent}`)
}
