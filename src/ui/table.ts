import type { TextContext } from '../command.ts'
import { displayWidth, shortened } from './width.ts'
import { fitted, wrap } from './wrap.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** What it is called away from its neighbours, where the title alone does not say it: `95 % interval of regret`. */
  readonly name?: string
  /** Where there is no room it goes before those of lower numbers; one without a number never goes. */
  readonly drop?: number
  /** Cells are sentences, which may stand on several lines. */
  readonly prose?: true
  /** Cells are copied by whoever reads them, so no letter of them is left out. */
  readonly copied?: true
}

/** A table before it is drawn. */
export interface Grid {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

export const tableOf = ({ columns, rows }: Grid, context: TextContext): string => table(columns, rows, context)

const GAP = '  '

/** Narrower than this a sentence is not wrapped while other columns can go. */
const LEAST_PROSE = 20

/**
 * Columns wide enough for their longest cell, two spaces apart, no trailing blanks. Cells may carry colours. Where the terminal is too narrow,
 * titles and sentences are wrapped, then columns left out, which a last line says; and if that does not do, each row is a paragraph of all its
 * cells. So nothing is lost in silence, and no line is wider than the terminal, but for words that are copied.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { style, columns: room }: TextContext,
): string {
  const places = columns.map((_, i) => i)
  const gone = places.filter(i => columns[i].drop !== undefined).sort((a, b) => columns[b].drop! - columns[a].drop!)
  for (let count = 0; count <= gone.length; count++) {
    const left = gone.slice(0, count).sort((a, b) => a - b)
    const shown = places.filter(i => !left.includes(i))
    const widths = widthsOf(
      shown.map(i => columns[i]),
      shown.map(i => rows.map(row => row[i])),
      room,
    )
    if (widths === undefined) continue
    const [head, ...body] = [columns.map(({ title }) => title), ...rows].map(cells =>
      grid(
        shown.map(i => columns[i]),
        shown.map(i => cells[i]),
        widths,
      ),
    )
    const said = left.filter(i => rows.some(row => row[i] !== '')).map(i => nameOf(columns[i]))
    const note = said.length === 0 ? [] : [style.dim(fitted(`no room for: ${said.join(', ')}; --json has all`, room))]
    return [
      head
        .split('\n')
        .map(line => style.dim(line))
        .join('\n'),
      ...body,
      ...note,
    ].join('\n')
  }
  return paragraphs(columns, rows, { style, columns: room })
}

const nameOf = ({ name, title }: Column) => name ?? title

const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(displayWidth))

/** Of each column; undefined where they do not fit. `cells` are by column. */
function widthsOf(
  columns: readonly Column[],
  cells: readonly (readonly string[])[],
  room: number,
): number[] | undefined {
  const full = columns.map(({ title }, i) => widest([title, ...cells[i]]))
  const least = columns.map(({ title, prose }, i) => {
    const content = widest(cells[i])
    const words = prose
      ? Math.max(Math.min(content, LEAST_PROSE), widest(cells[i].flatMap(cell => cell.split(' '))))
      : content
    return Math.max(words, widest(title.split(' ')))
  })
  const widths = full.slice()
  let over = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - room
  // Titles are wrapped only where that makes room.
  for (; over > 0; over--) {
    const spare = widths.map((width, i) => width - least[i])
    const most = Math.max(...spare)
    if (most === 0) return undefined
    widths[spare.indexOf(most)]--
  }
  return widths
}

/** A row of the table, which may be of several lines. */
function grid(columns: readonly Column[], cells: readonly string[], widths: readonly number[]): string {
  const blocks = cells.map((cell, i) =>
    displayWidth(cell) <= widths[i] ? [cell] : wrap(cell, widths[i], '').split('\n'),
  )
  const height = Math.max(...blocks.map(block => block.length))
  return Array.from({ length: height }, (_, y) =>
    blocks
      .map((block, i) => {
        const text = block[y] ?? ''
        const blanks = ' '.repeat(widths[i] - displayWidth(text))
        return columns[i].align === 'right' ? blanks + text : text + blanks
      })
      .join(GAP)
      .trimEnd(),
  ).join('\n')
}

/** `first cell`, then a line for each other cell that is not empty; a row without a first cell goes on with the row before. */
function paragraphs(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { style, columns: room }: TextContext,
): string {
  const lead = columns.findIndex(({ title }) => title !== '')
  return rows
    .map((cells, y) => {
      const head = cells
        .slice(0, lead + 1)
        .filter(cell => cell !== '')
        .join(' ')
      const lines = columns.flatMap((column, i) => {
        if (i <= lead || cells[i] === '') return []
        const label = nameOf(column) === '' ? '' : `${style.dim(`${nameOf(column)}:`)} `
        const text = column.copied || cells[i].includes(' ') ? cells[i] : shortened(cells[i], room - INDENT.length)
        return fitted(`${INDENT}${label}${text}`, room)
      })
      const title = columns[lead]?.copied ? head : shortened(head, room)
      const first = head === '' ? [] : [...(y === 0 ? [] : ['']), title]
      return [...first, ...lines].join('\n')
    })
    .join('\n')
}

const INDENT = '  '
