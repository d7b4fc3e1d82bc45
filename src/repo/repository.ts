import { type Diagnostic, didYouMean } from '../diagnostics.ts'
import { schemas } from '../generated/schemas.js'
import { validators } from '../generated/validators.js'
import { KINDS, type Kind, type Metadata, type ProjectSpec, type Specs } from '../kinds.ts'
import { digestOf } from './digest.ts'
import type { Fault } from './fault.ts'
import { createLocator, type Locator, type Place } from './locate.ts'
import { faultsOf } from './rules/rules.ts'
import { isMapping, notAllowed } from './schema.ts'
import { fillDefaults, shapeFaults } from './shape.ts'
import { parseYaml } from './yaml.ts'

/** A file's text, or why there is none. `path` is relative to the root, with forward slashes. */
export type SourceFile =
  | { readonly path: string; readonly text: string; readonly unreadable?: undefined }
  | { readonly path: string; readonly text?: undefined; readonly unreadable: string }

/** One document that has its kind's shape; what it says may still be wrong. */
export interface Resource<K extends Kind = Kind> {
  readonly kind: K
  readonly name: string
  readonly metadata: Metadata
  /** Defaults filled in, the Project's too. */
  readonly spec: Specs[K]
  readonly file: string
  /** The document's place in the file, from 0. */
  readonly index: number
  /** sha256 of what it says: kind, name and spec. */
  readonly digest: string
}

export interface Repository {
  /** In the order of files and documents. */
  readonly resources: readonly Resource[]
  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined
  all<K extends Kind>(kind: K): readonly Resource<K>[]
  /** Did-you-mean for a name that `get` does not find. */
  suggest(kind: Kind, name: string): string | undefined
  /** The Project's settings, or their defaults where there is none. */
  readonly project: ProjectSpec
  /** By file, line and column. */
  readonly diagnostics: readonly Diagnostic[]
  /** How many files there were. */
  readonly files: number
}

/** What the rules of one resource may ask of the others. */
export interface Lookup extends Pick<Repository, 'get' | 'suggest' | 'project'> {
  /** Is there such a resource, even one with faults? */
  has(kind: Kind, name: string): boolean
}

/**
 * Reads the resources of a config repository: YAML, the kinds' schemas, defaults, references, CEL and meaning. Nothing in a
 * file throws: every fault of every file is a diagnostic.
 */
export function loadRepository(files: readonly SourceFile[]): Repository {
  const report = createReport(files)
  const documents = files.flatMap(file => readFile(file, report))
  const declared = new Map<string, DocumentId>()
  const byName = new Map<string, Resource>()
  const resources: Resource[] = []
  for (const document of documents) {
    const { kind, value } = document
    const name = nameOf(value)
    const key = `${kind}/${name}`
    const first = declared.get(key)
    if (name !== undefined && first !== undefined) report.fault(document, duplicateName(kind, name, first, report))
    else if (name !== undefined) declared.set(key, document)
    if (!validators[kind](value)) {
      const faults = shapeFaults(value, schemas[kind])
      if (faults.length === 0) faults.push({ code: 'schema', message: `this is no valid ${kind}`, path: [] })
      for (const fault of faults) report.fault(document, fault)
      continue
    }
    const { metadata, spec } = fillDefaults(value as unknown as Pick<Resource, 'metadata' | 'spec'>, schemas[kind])
    const resource = {
      kind,
      name: metadata.name,
      metadata,
      spec,
      file: document.file,
      index: document.index,
      digest: '',
    }
    resources.push(resource)
    if (first === undefined) byName.set(key, resource)
  }
  const project = projectOf(resources, declared, report)
  for (const [i, resource] of resources.entries()) resources[i] = finish(resource, project, byName)

  const all = <K extends Kind>(kind: K) =>
    resources.filter(resource => resource.kind === kind) as Resource<Kind>[] as Resource<K>[]
  const names = new Map(KINDS.map(kind => [kind, [] as string[]]))
  for (const key of declared.keys())
    names.get(key.slice(0, key.indexOf('/')) as Kind)?.push(key.slice(key.indexOf('/') + 1))
  const lookup: Lookup = {
    get: <K extends Kind>(kind: K, name: string) =>
      byName.get(`${kind}/${name}`) as Resource<Kind> | undefined as Resource<K> | undefined,
    has: (kind, name) => declared.has(`${kind}/${name}`),
    suggest: (kind, name) => didYouMean(name, names.get(kind)!),
    project,
  }
  for (const resource of resources) for (const fault of faultsOf(resource, lookup)) report.fault(resource, fault)
  const { get, suggest } = lookup
  return { resources, get, all, suggest, project, diagnostics: report.diagnostics(), files: files.length }
}

interface DocumentId {
  readonly file: string
  readonly index: number
}

interface Headed extends DocumentId {
  readonly kind: Kind
  readonly value: Record<string, unknown>
}

type Report = ReturnType<typeof createReport>

/** Collects diagnostics; texts are only looked at again where there is a fault. */
function createReport(files: readonly SourceFile[]) {
  const texts = new Map(files.map(({ path, text }) => [path, text]))
  const locators = new Map<string, Locator>()
  const found: Diagnostic[] = []
  const locator = (file: string) => {
    let known = locators.get(file)
    if (known === undefined) {
      known = createLocator(texts.get(file) ?? '')
      locators.set(file, known)
    }
    return known
  }
  function add(file: string, place: Place, { code, severity = 'error', message, hint }: Omit<Fault, 'path'>): void {
    found.push({ severity, code, message: printable(message), file, ...place, hint: hint && printable(hint) })
  }
  return {
    locator,
    add,
    fault: ({ file, index }: DocumentId, fault: Fault) => add(file, locator(file).fault(index, fault), fault),
    diagnostics: (): readonly Diagnostic[] => {
      const order = new Map(files.map(({ path }, i) => [path, i]))
      return found.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line || a.column - b.column)
    },
  }
}

/** Messages quote files, and go to terminals: no control characters, no walls of text. */
function printable(text: string): string {
  const short = text.length > 500 ? `${text.slice(0, 500)}…` : text
  return short.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function readFile({ path: file, text, unreadable }: SourceFile, report: Report): Headed[] {
  if (text === undefined) {
    report.add(file, { line: 0, column: 0, length: 1 }, { code: 'file', message: unreadable! })
    return []
  }
  const { documents, faults } = parseYaml(text)
  for (const { message, hint, ...span } of faults)
    report.add(file, report.locator(file).span(span), { code: 'yaml', message, hint })
  return documents.flatMap(({ index, value }) => {
    const fault = headFault(value)
    if (fault === undefined)
      return [{ file, index, kind: (value as { kind: Kind }).kind, value: value as Record<string, unknown> }]
    report.fault({ file, index }, fault)
    return []
  })
}

/** What keeps a document from being a resource at all; nothing else can be said about it then. */
function headFault(value: unknown): Fault | undefined {
  if (!isMapping(value)) {
    return {
      code: 'schema',
      message: 'a resource must be a mapping',
      hint: 'it starts with `apiVersion: dap/v1`',
      path: [],
    }
  }
  const { apiVersion, kind } = value
  if (apiVersion === undefined) {
    const hint = didYouMean('apiVersion', Object.keys(value))
    const typo = hint && Object.keys(value).find(key => didYouMean('apiVersion', [key]) === hint)
    if (typo)
      return {
        code: 'unknown-key',
        message: `unknown key \`${typo}\``,
        hint: 'did you mean `apiVersion`?',
        path: [typo],
        on: 'key',
      }
    const message = 'this is no dap resource: `apiVersion` is missing'
    return {
      code: 'schema',
      message,
      hint: 'resources start with `apiVersion: dap/v1`; other files do not belong in this folder',
      path: [],
      on: 'key',
    }
  }
  if (apiVersion !== 'dap/v1')
    return { code: 'schema', ...notAllowed('`apiVersion`', apiVersion, ['dap/v1']), path: ['apiVersion'] }
  if (kind === undefined)
    return { code: 'schema', message: '`kind` is missing', hint: `one of ${KINDS.join(', ')}`, path: [], on: 'key' }
  if (!KINDS.includes(kind as Kind)) return { code: 'schema', ...notAllowed('`kind`', kind, KINDS), path: ['kind'] }
  return undefined
}

function nameOf(value: Record<string, unknown>): string | undefined {
  const { metadata } = value
  return isMapping(metadata) && typeof metadata.name === 'string' ? metadata.name : undefined
}

function duplicateName(kind: Kind, name: string, first: DocumentId, report: Report): Fault {
  const path = ['metadata', 'name']
  const { line } = report.locator(first.file).fault(first.index, { code: 'duplicate', message: '', path })
  return {
    code: 'duplicate',
    message: `there is another ${kind} \`${name}\``,
    hint: `the first is at ${first.file}:${line}`,
    path,
  }
}

function projectOf(
  resources: readonly Resource[],
  declared: ReadonlyMap<string, DocumentId>,
  report: Report,
): ProjectSpec {
  const projects = resources.filter(resource => resource.kind === 'Project')
  for (const other of projects.slice(1)) {
    if (declared.get(`Project/${other.name}`)?.file !== other.file) continue
    const hint = `the first is in ${projects[0].file}`
    report.fault(other, { code: 'duplicate', message: 'a repository has only one Project', hint, path: ['kind'] })
  }
  const none = { kind: 'Project', metadata: {}, spec: {} as ProjectSpec }
  return (projects[0]?.spec as ProjectSpec | undefined) ?? fillDefaults(none, schemas.Project).spec
}

/** The Project's defaults, and the digest of the whole. Keeps the index by name up to date. */
function finish(resource: Resource, { defaults }: ProjectSpec, byName: Map<string, Resource>): Resource {
  const spec = withProjectDefaults(resource, defaults)
  const { kind, name } = resource
  const finished = { ...resource, spec, digest: digestOf({ kind, metadata: { name }, spec }) }
  const key = `${kind}/${name}`
  if (byName.get(key) === resource) byName.set(key, finished)
  return finished
}

function withProjectDefaults({ kind, spec }: Resource, defaults: ProjectSpec['defaults']): Specs[Kind] {
  const { seed, level } = defaults
  if (kind === 'Scenario') return Object.assign({ seed, level }, spec)
  if (kind !== 'Evaluation') return spec
  const { interval } = spec as Specs['Evaluation']
  return Object.assign({}, spec, { interval: Object.assign({ level }, interval) })
}
