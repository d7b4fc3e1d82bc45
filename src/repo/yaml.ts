import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  Parser,
  type YAMLError,
} from 'yaml'
import { didYouMean } from '../diagnostics.ts'
import { MAX_FAULTS, type YamlFault } from './fault.ts'
import { advise } from './yaml-advice.ts'

export interface ParsedFile {
  /** The documents that could be read, empty ones left out; `index` is the place in the file, which counts those too. */
  readonly documents: readonly { readonly index: number; readonly value: unknown }[]
  readonly faults: readonly YamlFault[]
  /** The syntax tree of every document, for positions; none where the text is over a limit. */
  readonly trees: readonly Document.Parsed[]
}

/** 1 MiB of ASCII. */
const MAX_LENGTH = 1 << 20
const MAX_DEPTH = 64
const MAX_DOCUMENTS = 1000
/** Of one document, aliases written out. */
const MAX_NODES = 100_000
const MAX_LEXEMES = 400_000
const MAX_SCALAR = 1 << 16

/**
 * YAML 1.2 (core schema, unique keys, no tags, no merge keys) as plain values. Never throws for a text, whatever is in it: a
 * text over the limits of size, depth, documents or aliases is a fault.
 */
export function parseYaml(text: string): ParsedFile {
  const { documents, faults, trees } = readYaml(text)
  const faultsOf = (changed: string) => readYaml(changed).faults
  return {
    documents,
    faults: faults.map((fault, i) => {
      const advised = fault.hint === undefined && i < MAX_ADVISED ? advise(text, fault, faults, faultsOf) : fault
      return { ...advised, hint: advised.hint ?? structureHint(advised.message) }
    }),
    trees,
  }
}

/** What to look at where nothing better is known. */
function structureHint(message: string): string {
  return /\bflow\b|[[\]{}]|quote/.test(message)
    ? 'look before it for a `[`, a `{` or a quote without its end'
    : 'a key is followed by `: `, and what belongs together begins in the same column'
}

/** Each piece of advice reads the text a few times. */
const MAX_ADVISED = 3

function readYaml(text: string): ParsedFile {
  const mark = text.indexOf('\ufeff', 1)
  if (mark !== -1) {
    const message = 'there is a byte order mark (U+FEFF) in the middle of the file'
    return {
      documents: [],
      trees: [],
      faults: [{ message, hint: 'take it out: it comes from files that were put together', from: mark, to: mark + 1 }],
    }
  }
  const trees = composeFile(text)
  if ('message' in trees) return { documents: [], faults: [trees], trees: [] }
  const documents: { index: number; value: unknown }[] = []
  const faults: YamlFault[] = []
  for (const [index, document] of trees.entries()) {
    const problem: YAMLError | undefined = document.errors[0] ?? document.warnings[0]
    if (problem !== undefined) {
      const hint = problem.code === 'TAB_AS_INDENT' ? 'indent with blanks' : undefined
      faults.push({ message: problemText(problem), hint, from: problem.pos[0], to: problem.pos[1] })
    } else if (document.contents !== null && !isEmpty(document.contents)) {
      const converted = toPlain(document.contents)
      faults.push(...converted.faults)
      if (converted.complete) documents.push({ index, value: converted.value })
    }
  }
  return { documents, faults, trees }
}

/** The syntax tree of every document, for positions. */
export function composeFile(text: string): Document.Parsed[] | YamlFault {
  if (text.length > MAX_LENGTH) {
    return { message: 'the file is larger than 1 MiB', hint: 'split it', from: 0, to: 1 }
  }
  const documents: Document.Parsed[] = []
  const limit: { fault?: YamlFault } = {}
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, logLevel: 'silent', version: '1.2' })
  for (const document of composer.compose(tokens(text, limit))) {
    if (documents.length === MAX_DOCUMENTS) return limitFault(`more than ${MAX_DOCUMENTS} documents`, document.range[0])
    documents.push(document as Document.Parsed)
  }
  return limit.fault ?? documents
}

/** The parser's tokens, ended early where a limit is passed or a bracket does not match. */
function* tokens(text: string, limit: { fault?: YamlFault }) {
  const parser = new Parser()
  const open: string[] = []
  let offset = 0
  let count = 0
  let scalar = false
  for (const lexeme of new Lexer().lex(text)) {
    count++
    if (!scalar && (lexeme === '[' || lexeme === '{')) open.push(lexeme)
    else if (!scalar && (lexeme === ']' || lexeme === '}') && open.pop() !== (lexeme === ']' ? '[' : '{')) {
      limit.fault = { message: `this \`${lexeme}\` closes nothing`, from: offset, to: offset + 1 }
    }
    if (open.length > MAX_DEPTH) limit.fault = limitFault(`nested more than ${MAX_DEPTH} deep`, offset)
    else if (count > MAX_LEXEMES) limit.fault = limitFault('too large', offset)
    else if (lexeme.length > MAX_SCALAR)
      limit.fault = limitFault(`a scalar of more than ${MAX_SCALAR} characters`, offset)
    if (limit.fault !== undefined) return
    scalar = lexeme === SCALAR
    if (!MARKS.includes(lexeme)) offset += lexeme.length
    yield* parser.next(lexeme)
  }
  yield* parser.end()
}

/** Lexemes that stand for no text: the start of a document, the end of a flow collection, and what precedes a scalar. */
const SCALAR = '\u001f'
const MARKS = ['\u0002', '\u0018', SCALAR]

function limitFault(what: string, from: number): YamlFault {
  return { message: `the YAML is over dap's limits: ${what}`, from, to: from + 1 }
}

function problemText({ code, message }: YAMLError): string {
  if (code === 'RESOURCE_EXHAUSTION') return `the YAML is over dap's limits: nested more than ${MAX_DEPTH} deep`
  if (code === 'TAG_RESOLVE_FAILED') return 'YAML tags are not allowed'
  const plain = message.replace(/\.$/, '')
  return plain.charAt(0).toLowerCase() + plain.slice(1)
}

const isEmpty = (node: Node) => isScalar(node) && node.value === null && node.source !== 'null' && node.source !== '~'

interface Anchored {
  readonly value: unknown
  /** Nodes, aliases written out. */
  readonly size: number
}

interface Plain {
  readonly value: unknown
  readonly faults: readonly YamlFault[]
  /** False where a part of the value is not known, so that nothing can be said of the rest; a key too many does not matter. */
  readonly complete: boolean
}

function toPlain(contents: Node): Plain {
  const anchors = new Map<string, Anchored>()
  const faults: YamlFault[] = []
  let size = 0
  let complete = true
  const fault = (node: Node | null, message: string, hint?: string) => {
    const [from, to] = node?.range ?? [0, 1]
    if (faults.length < MAX_FAULTS) faults.push({ message, hint, from, to })
  }

  function convert(node: unknown, depth: number): unknown {
    if (size++ > MAX_NODES) return undefined
    if (node === null || node === undefined) return null
    const before = size
    let value: unknown
    if (isScalar(node)) {
      value = node.value
      const meant = node.type === 'PLAIN' ? /^[“”„]([^“”„]*)[“”]$|^[‘’‚]([^‘’‚]*)[‘’]$/.exec(String(value)) : null
      if (meant !== null) {
        value = meant[1] ?? meant[2]
        fault(node, 'these are no quotes of YAML', `write \`"${value}"\``)
      }
    } else if (isAlias(node)) {
      const anchored = anchors.get(node.source)
      if (anchored === undefined) {
        fault(node, `no anchor \`${node.source}\` before this alias`, didYouMean(node.source, anchors.keys()))
        complete = false
      }
      size += anchored?.size ?? 0
      return anchored?.value
    } else if (depth >= MAX_DEPTH) {
      fault(node as Node, `the YAML is over dap's limits: nested more than ${MAX_DEPTH} deep`)
      complete = false
    } else if (isSeq(node)) {
      value = node.items.map(item => convert(item, depth + 1))
    } else if (isMap(node)) {
      value = convertMap(node.items, depth)
    }
    const { anchor } = node as { anchor?: string }
    if (anchor !== undefined) anchors.set(anchor, { value, size: size - before })
    return value
  }

  function convertMap(items: readonly { readonly key: unknown; readonly value: unknown }[], depth: number) {
    const mapping: Record<string, unknown> = {}
    for (const { key, value } of items) {
      if (!isScalar(key)) {
        fault(key as Node | null, 'a key must be a string', 'quote it')
        continue
      }
      const name = typeof key.value === 'string' ? key.value : String(key.source ?? key.value)
      if (name === '<<') {
        fault(
          key as Node,
          'merge keys (`<<`) are not allowed',
          'write the keys out, or a whole value as an alias: `key: *name`',
        )
        complete = false
      } else if (name === '__proto__') fault(key as Node, 'the key `__proto__` is not allowed', 'give it another name')
      else if (Object.hasOwn(mapping, name))
        fault(key as Node, `the key \`${name}\` is there twice`, 'take one of them out')
      else mapping[name] = convert(value, depth + 1)
    }
    return mapping
  }

  const value = convert(contents, 0)
  if (size > MAX_NODES) {
    faults.push(limitFault(`more than ${MAX_NODES} values, aliases written out`, 0))
    complete = false
  }
  return { value, faults, complete }
}
