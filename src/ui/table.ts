import { stripVTControlCharacters } from 'node:util'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** A table before it is drawn. */
export interface Grid {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

export const tableOf = ({ columns, rows }: Grid, header?: (text: string) => string): string =>
  table(columns, rows, header)

/** Columns wide enough for their longest cell, two spaces apart, no trailing blanks. Cells may carry colours. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  header = (text: string) => text,
): string {
  const width = (cell: string) => stripVTControlCharacters(cell).length
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
