export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const ANSI = /\u001b\[[0-9;]*m/g

/** The text with what a terminal, or a log that is read in an editor, would act on made visible. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, char =>
    `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Columns wide enough for their longest cell, two spaces apart, no trailing blanks. Cells may carry colours. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], header = (text: string) => text): string {
  const width = (cell: string) => cell.replace(ANSI, '').length
  const widths = columns.map((column, i) => Math.max(width(column.title), ...rows.map(row => width(row[i]))))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        const blanks = ' '.repeat(widths[i] - width(cell))
        return columns[i].align === 'right' ? blanks + cell : cell + blanks
      })
      .join('  ')
      .trimEnd()
  return [header(line(columns.map(column => column.title))), ...rows.map(line)].join('\n')
}
