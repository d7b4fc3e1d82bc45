import { type Diagnostic, printable } from '../diagnostics.ts'
import type { Fault, YamlFault } from './fault.ts'
import type { Locator } from './locate.ts'
import type { CellFault } from './sets/read-set.ts'
import type { ParsedSource } from './source.ts'

export interface DocumentId {
  readonly file: string
  readonly index: number
}

/** Where a document says what it is called. */
export const NAME = ['metadata', 'name']

export type Report = ReturnType<typeof createReport>

/** Collects faults; places are found at the end, in texts that have any. */
export function createReport(sources: readonly ParsedSource[]) {
  type Placing = (place: (file: string) => Locator) => ReturnType<Locator['fault']>
  const found: {
    readonly file: string
    readonly fault: Omit<Fault, 'path'>
    readonly at: Placing
    /** The document, where it is one's. */
    readonly index?: number
    readonly first?: DocumentId
  }[] = []
  return {
    file: (file: string, fault: Pick<Fault, 'severity' | 'message' | 'hint'>) => {
      found.push({ file, fault: { code: 'file', ...fault }, at: () => ({ line: 0, column: 0, length: 1, text: '' }) })
    },
    /** In a file that is no file of resources. */
    cell: (file: string, { code, message, hint, place }: CellFault) => {
      found.push({ file, fault: { code, message, hint }, at: () => ({ ...place, text: '' }) })
    },
    yaml: (file: string, { message, hint, ...span }: YamlFault) => {
      found.push({ file, fault: { code: 'yaml', message, hint }, at: locator => locator(file).span(span) })
    },
    /** `first`: the document that has the same name already. */
    fault({ file, index }: DocumentId, fault: Fault, first?: DocumentId) {
      found.push({ file, fault, at: locator => locator(file).fault(index, fault), index, first })
    },
    errorsOf: ({ file, index }: DocumentId) =>
      found.filter(each => each.file === file && each.index === index && each.fault.severity !== 'warning').length,
    async diagnostics(): Promise<readonly Diagnostic[]> {
      if (found.length === 0) return []
      const { lookAlike } = await import('./look-alikes.ts')
      const named = new Set(found.flatMap(({ file, first }) => [file, first?.file]))
      const locators = new Map<string, Locator>()
      for (const { file, locator } of sources) if (named.has(file.path)) locators.set(file.path, await locator())
      const locator = (file: string) => locators.get(file)!
      const order = new Map(sources.map(({ file }, i) => [file.path, i]))
      const placeOf = (file: string) => order.get(file) ?? sources.length
      return found
        .map(({ file, fault, at, first }): Diagnostic => {
          const { code, severity = 'error' } = fault
          const { written, text, ...place } = at(locator)
          const { message, hint } = written === undefined ? fault : { ...fault, ...fault.written?.(written) }
          const other = first && locator(first.file).fault(first.index, { code, message, path: NAME })
          const looks = code === 'yaml' || /^[[{]/.test(text) ? undefined : lookAlike(text)
          const advice = [looks, other ? `the first is at ${first.file}:${other.line}` : hint]
            .filter(Boolean)
            .join('; ')
          return {
            severity,
            code,
            message: sentence(message),
            file,
            ...place,
            hint: advice === '' ? undefined : sentence(advice),
          }
        })
        .sort((a, b) => placeOf(a.file) - placeOf(b.file) || a.line - b.line || a.column - b.column)
    },
  }
}

/** Messages quote files: no walls of text, one line, nothing that a terminal would act on. */
function sentence(text: string): string {
  return printable((text.length > 500 ? `${text.slice(0, 500)}…` : text).replaceAll(/[\n\t]/g, ' '))
}
