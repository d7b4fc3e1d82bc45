import { CORE_SCHEMA, loadAll } from 'js-yaml'

/**
 * The documents of a text that is written in the part of YAML which almost every file is written in: ten times as fast as
 * with positions. Undefined where the text is, or may be, anything else, faulty above all: `parseYaml` decides then, and
 * it alone finds faults.
 */
export function parsePlainYaml(text: string): unknown[] | undefined {
  if (text.length > MAX_LENGTH || UNUSUAL.test(text)) return undefined
  try {
    const documents = loadAll(text, { schema: CORE_SCHEMA, maxDepth: MAX_DEPTH })
    return documents.every(isOrdinary) ? documents : undefined
  } catch {
    return undefined
  }
}

const MAX_LENGTH = 1 << 16
const MAX_DEPTH = 32

/**
 * What two YAML parsers might read differently: tags, anchors, aliases, merge, complex and empty keys, keys that are not plain
 * words, directives, tabs, document ends, text below a comment, numbers that are huge, in binary or with underscores, unusual characters. It may
 * match too much, inside a string for example.
 */
const UNUSUAL =
  /(?:^|[\s,:[{?-])(?:\?|!(?!=)|[&*][^\s&*])|(?:^|[\s,[{?-]):(?:\s|$)|\t|\r|^ *#.*\n\s*(?![\s#-])(?!.*:(?:\s|$)).|^\.\.\.|^%|__proto__|<<|(?<![\w.])[\d.]+_|\b0b|\de[-+]?\d{3}|(?:^|[\s,[{?-])(?:[-+.\d][^\s:]{0,99}|true|false|null|~)\s*:|[^\x20-\x7e\n\u00a1-\u1fff\u2030-\ud7ff\ue000-\ufdff]/im

/** A mapping, as every resource is, without null: a key in braces may lack its value, and then it may be a number. */
const isOrdinary = (document: unknown) =>
  typeof document === 'object' && document !== null && !Array.isArray(document) && Object.values(document).every(isFull)

const isFull = (value: unknown): boolean =>
  typeof value === 'object' ? value !== null && Object.values(value).every(isFull) : value !== undefined
