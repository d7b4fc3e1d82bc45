import type { YamlFault } from './fault.ts'
import type { Locator } from './locate.ts'
import { parsePlainYaml } from './plain-yaml.ts'
import type { ParsedFile } from './yaml.ts'

/** A file's text, or why there is none. `path` is relative to the root, with forward slashes. */
export type SourceFile =
  | { readonly path: string; readonly text: string; readonly unreadable?: undefined }
  | { readonly path: string; readonly text?: undefined; readonly unreadable: string; readonly hint?: string }

/** A file of resources as YAML: what it says, what is wrong with it, and where all of that is. */
export interface ParsedSource {
  readonly file: SourceFile
  readonly documents: ParsedFile['documents']
  readonly faults: readonly YamlFault[]
  /** Places in the text. The same locator for whoever asks. */
  locator(): Promise<Locator>
}

/**
 * Parses a file, once for all who ask about it: a valid one is read by one of the two parsers, once, and a faulty one at most once by each
 * (docs/decisions/0007). Only what is not plain YAML needs the parser that knows positions and explains faults.
 */
export async function parseSource(file: SourceFile): Promise<ParsedSource> {
  const { text = '' } = file
  const plain = parsePlainYaml(text)
  const read = plain === undefined ? (await import('./yaml.ts')).parseYaml(text) : undefined
  let locator: Promise<Locator> | undefined
  const locate = async () => (await import('./locate.ts')).createLocator(text, read?.trees)
  return {
    file,
    documents: read?.documents ?? plain!.map((value, index) => ({ index, value })),
    faults: read?.faults ?? [],
    locator() {
      locator ??= locate()
      return locator
    },
  }
}
