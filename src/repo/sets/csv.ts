import type { CellPlace, SetRow, SetTable, TableFault } from './table.ts'

interface Field {
  readonly text: string
  readonly place: CellPlace
}

interface CsvRecord {
  readonly fields: readonly Field[]
  readonly fault?: TableFault
}

/** A CSV text with a header as RFC 4180 has it; lines may end by `\n`, `\r\n` or `\r`, and blank ones are passed over. */
export function csvTable(text: string, delimiter: string): SetTable {
  const records = recordsOf(text, delimiter)
  const [header, ...others] = records
  if (header === undefined) return { columns: [], rows: [], faults: [] }
  const columns = header.fields.map(field => field.text)
  const faults: TableFault[] = []
  const at = new Map<string, number>()
  for (const [i, { text: name, place }] of header.fields.entries()) {
    if (at.has(name)) faults.push({ message: `there are two columns \`${name}\``, hint: 'rename one of them', place })
    else at.set(name, i)
  }
  if (header.fault !== undefined) faults.push(header.fault)
  const rows: SetRow[] = []
  for (const { fields, fault } of others) {
    const [{ place }] = fields
    if (fault !== undefined) faults.push(fault)
    else if (fields.length !== columns.length) {
      const count = `${fields.length} ${fields.length === 1 ? 'field' : 'fields'}`
      const message = `the line has ${count}, and the header ${columns.length}`
      const hint = `quote a field that has a \`${delimiter}\` in it, or say which \`delimiter\` the file has in \`spec.csv\``
      faults.push({ message, hint, place: { ...place, column: 1, length: 1 } })
    } else {
      const field = (column: string) => fields[at.get(column) ?? -1]
      rows.push({
        cell: column => field(column)?.text,
        place: column => (column === undefined ? undefined : field(column)?.place) ?? place,
      })
    }
  }
  return { columns, rows, faults }
}

function recordsOf(text: string, delimiter: string): CsvRecord[] {
  const records: CsvRecord[] = []
  const isEnd = (i: number) => i >= text.length || text[i] === '\n' || text[i] === '\r'
  let i = text.startsWith('\ufeff') ? 1 : 0
  let line = 1
  /** Where the line begins that `i` is in. */
  let start = i

  /** A field without quotes, or with them; `i` is then after it. */
  function fieldAt(): { readonly field: Field; readonly fault?: TableFault } {
    const place = { line, column: i - start + 1 }
    const from = i
    if (text[i] !== '"') {
      while (!isEnd(i) && text[i] !== delimiter) i++
      return { field: { text: text.slice(from, i), place: { ...place, length: Math.max(1, i - from) } } }
    }
    let value = ''
    for (i++; i < text.length; i++) {
      if (text[i] === '"' && text[i + 1] !== '"') break
      if (text[i] === '"') i++
      value += text[i]
      if (text[i] === '\n' || (text[i] === '\r' && text[i + 1] !== '\n')) {
        line++
        start = i + 1
      }
    }
    const closed = i < text.length
    i++
    const length = line === place.line ? Math.min(i, text.length) - from : 1
    const field = { text: value, place: { ...place, length } }
    if (!closed) return { field, fault: { ...NEVER_CLOSED, place: { ...place, length: 1 } } }
    if (isEnd(i) || text[i] === delimiter) return { field }
    const after = { line, column: i - start + 1, length: 1 }
    while (!isEnd(i) && text[i] !== delimiter) i++
    return { field, fault: { ...AFTER_QUOTE, place: after } }
  }

  while (i < text.length) {
    if (!isEnd(i)) {
      const fields: Field[] = []
      let fault: TableFault | undefined
      for (;;) {
        const read = fieldAt()
        fields.push(read.field)
        fault ??= read.fault
        if (i >= text.length || text[i] !== delimiter) break
        i++
      }
      records.push({ fields, ...(fault === undefined ? {} : { fault }) })
    }
    if (text[i] === '\r' && text[i + 1] === '\n') i++
    i++
    line++
    start = i
  }
  return records
}

const NEVER_CLOSED = {
  message: 'a quote is opened here and never closed, so that all that follows is one field',
  hint: 'close it; a quote that is part of a field in quotes is doubled: `""`',
}

const AFTER_QUOTE = {
  message: 'there is text after the quote that closes a field',
  hint: 'a quote that is part of a field in quotes is doubled: `""`',
}
