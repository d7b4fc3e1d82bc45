import { didYouMean } from '../diagnostics.ts'
import { schemas } from '../generated/schemas.js'
import { KINDS, type Kind, type PolicySpec, type ProjectSpec, type Specs } from '../kinds.ts'
import { resourceDigest } from '../policy/digest.ts'
import { modelsOf } from '../policy/model-outputs.ts'
import { isSet } from '../policy/pool.ts'
import { type Hidden, hiddenIn, kindOf, mayBe } from './declarations.ts'
import type { Fault } from './fault.ts'
import { mendDocument } from './mend.ts'
import { type Models, type ReadModel, readModels } from './models/take-models.ts'
import { usedModelFaults } from './models/used-models.ts'
import { scorerFault, scorerNamed, withModel } from './models/with-model.ts'
import { createReport, type DocumentId, NAME, type Report } from './report.ts'
import type { Declaration, Lookup, NamedKind, Repository, Resource } from './resource.ts'
import { faultsOf } from './rules/rules.ts'
import { isMapping, notAllowed } from './schema.ts'
import { poolFault, type ReadSet, readSets, type Sets, withSet } from './sets/take-sets.ts'
import { fillDefaults, shapeFaults } from './shape.ts'
import { type ParsedSource, parseSource, type SourceFile } from './source.ts'

/**
 * Reads the resources of a config repository: YAML, the kinds' schemas, defaults, references, CEL and meaning. Nothing in a
 * file throws: every fault of every file is a diagnostic. A file without faults is never parsed with positions.
 */
export async function loadRepository(files: readonly SourceFile[], readers: Readers = {}): Promise<Repository> {
  return repositoryOf(await Promise.all(files.map(parseSource)), readers)
}

/** Of the files that resources name. */
export interface Readers {
  /** Without it policies whose actions are those of a set are not known, unless they have taken them in, as those of bundles have. */
  readonly readSet?: ReadSet
  /** Without it files of models are not looked into. */
  readonly readModel?: ReadModel
}

/** What of a repository's surroundings is not in its files. */
export interface Surroundings extends Readers {
  /** Those folders of the Project, as it writes them, that are not there. */
  readonly absent?: ReadonlySet<string>
}

/** The repository of files that were parsed before. */
export async function repositoryOf(
  sources: readonly ParsedSource[],
  { absent = new Set(), readSet, readModel }: Surroundings = {},
): Promise<Repository> {
  const report = createReport(sources)
  const hidden: Hidden[] = []
  const documents = sources
    .flatMap(source => documentsOf(source, report, hidden))
    .flatMap(document => headed(document, report, hidden))
  const found = shapedOf(documents, absent, report, hidden)
  const { resources, declared, byName } = found
  const project = projectOf(resources, declared, report)
  const blocked = new Map<string, readonly string[]>()
  const known = lookupIn(found, project, hidden, blocked)
  const sets =
    readSet === undefined
      ? new Map()
      : await readSets(known.all('ActionSet'), asLookup(known, declared), readSet, report)
  if (readSet !== undefined) for (const each of known.all('Policy')) reportTaken(each, report)
  const models: Models =
    readModel === undefined
      ? new Map()
      : await readModels(known.all('Model'), asLookup(known, declared), readModel, report)
  const taken: Taken = {
    sets,
    models,
    of(spec) {
      const whole = withSet(spec, sets)
      return whole && withModel(whole, models)
    },
  }
  takeIn(found, documents, taken, blocked)
  for (const [i, resource] of resources.entries()) resources[i] = finish(resource, project, byName)
  judge(found, known, taken, report)
  for (const policy of known.all('Policy')) {
    if (report.errorsOf(policy) > 0) continue
    for (const fault of usedModelFaults(policy.spec, models)) report.fault(policy, fault)
  }
  const misshapen = found.faulty.map(({ kind, file, index, value }) => {
    const environment = kind === 'Deployment' ? environmentOf(value.spec) : undefined
    return { kind, name: nameOf(value), environment, file, index }
  })
  const diagnostics = await report.diagnostics()
  const scorer = (name: string) => scorerNamed(name, models)
  return { ...known, resources, scorer, misshapen, errorsOf: report.errorsOf, diagnostics, files: sources.length }
}

function reportTaken(policy: Resource<'Policy'>, report: Report): void {
  for (const fault of [poolFault(policy.spec), scorerFault(policy.spec)]) {
    if (fault !== undefined) report.fault(policy, fault)
  }
}

/** What policies take in of other resources, and of the files of these. */
interface Taken {
  readonly sets: Sets
  readonly models: Models
  /** The policy with all of it; undefined where some of it is not known. */
  of(spec: PolicySpec): PolicySpec | undefined
}

/**
 * Gives policies the actions of their sets, and their Models. A policy whose set or Model is not known is none that anybody could use: it is `blocked` by
 * the files of these, where there are any.
 */
function takeIn(
  { resources, faulty, byName }: Shaped,
  documents: readonly Headed[],
  { sets, models, of }: Taken,
  blocked: Map<string, readonly string[]>,
): void {
  for (const resource of [...resources]) {
    if (!isOf(resource, 'Policy')) continue
    const key = keyOf(resource.kind, resource.name, resource.spec)
    const spec = of(resource.spec)
    if (spec === resource.spec) continue
    const at = resources.indexOf(resource)
    const whole = byName.get(key) === resource
    if (spec !== undefined) {
      const taken = { ...resource, spec }
      resources[at] = taken
      if (whole) byName.set(key, taken)
      continue
    }
    resources.splice(at, 1)
    if (whole) byName.delete(key)
    faulty.push(...documents.filter(({ file, index }) => file === resource.file && index === resource.index))
    const { actions } = resource.spec
    const named = [
      isSet(actions) ? sets.get(actions.set) : undefined,
      ...modelsOf(resource.spec).map(({ name }) => models.get(name)),
    ]
    const files = named.flatMap(each => (each !== undefined && 'files' in each ? each.files : []))
    if (whole && files.length > 0) blocked.set(key, files)
  }
}

const isOf = <K extends Kind>(resource: Resource, kind: K): resource is Resource & Resource<K> => resource.kind === kind

/** Documents by their shapes, and what they declare. */
interface Shaped {
  /** Those of the right shape. */
  readonly resources: Resource[]
  /** The others. */
  readonly faulty: Headed[]
  /** By key: the first document that has it, whatever its shape; the first resource. */
  readonly declared: ReadonlyMap<string, DocumentId>
  readonly byName: Map<string, Resource>
}

function shapedOf(documents: readonly Headed[], absent: ReadonlySet<string>, report: Report, hidden: Hidden[]): Shaped {
  const declared = new Map<string, DocumentId>()
  const byName = new Map<string, Resource>()
  const resources: Resource[] = []
  const faulty: Headed[] = []
  for (const document of documents) {
    const { kind, value } = document
    const name = nameOf(value)
    const key = keyOf(kind, name, value.spec)
    const first = declared.get(key)
    if (name !== undefined && first !== undefined) report.fault(document, duplicateName(document, name), first)
    else if (name !== undefined) declared.set(key, document)
    const faults = shapeFaults(value, schemas[kind])
    if (faults.length > 0) {
      for (const fault of faults) report.fault(document, fault)
      if (name === undefined || faults.some(({ path }) => path[0] === 'metadata'))
        hidden.push({ file: document.file, kind })
      faulty.push(document)
      continue
    }
    if (kind === 'Project') for (const fault of absentFolders(document, absent)) report.fault(document, fault)
    const resource = resourceOf(document)
    resources.push(resource)
    if (first === undefined) byName.set(key, resource)
  }
  return { resources, faulty, declared, byName }
}

type Known = Pick<Repository, 'get' | 'all' | 'declared' | 'suggest' | 'project'>

function lookupIn(
  { resources, declared, byName }: Shaped,
  project: ProjectSpec,
  hidden: readonly Hidden[],
  blocked: ReadonlyMap<string, readonly string[]>,
): Known {
  const names = new Map(KINDS.map(kind => [kind, [] as string[]]))
  for (const key of declared.keys())
    names.get(key.slice(0, key.indexOf('/')) as Kind)?.push(key.slice(key.indexOf('/') + 1))
  return {
    get: <K extends NamedKind>(kind: K, name: string) =>
      byName.get(`${kind}/${name}`) as Resource<Kind> | undefined as Resource<K> | undefined,
    all: <K extends Kind>(kind: K) =>
      resources.filter(resource => resource.kind === kind) as Resource<Kind>[] as Resource<K>[],
    declared(kind) {
      const prefix = `${kind}/`
      const told = [...declared].flatMap(([key, { file }]): Declaration | [] => {
        if (!key.startsWith(prefix)) return []
        const broken = byName.has(key) ? [] : (blocked.get(key) ?? [file])
        return { names: [key.slice(prefix.length)], sure: true, file, broken }
      })
      const rest = hidden.flatMap(({ file, kind: of = kind, names }): Declaration | [] =>
        of === kind ? { names, sure: false, file, broken: [file] } : [],
      )
      return [...told, ...rest]
    },
    suggest: (kind, name) => didYouMean(name, names.get(kind)!),
    project,
  }
}

/** Asks the rules about what each resource means, and about as much of a document of the wrong shape as can be guessed. */
function judge({ faulty, declared }: Shaped, known: Known, taken: Taken, report: Report): void {
  const wrong = new Set<Resource>()
  const seen: Lookup = {
    ...asLookup(known, declared),
    get(kind, name) {
      const found = known.get(kind, name)
      return found !== undefined && wrong.has(found) ? undefined : found
    },
  }
  // A kind refers to those before it alone, so whoever is referred to is judged first.
  for (const resource of KINDS.flatMap(known.all)) {
    for (const fault of faultsOf(resource, seen)) {
      report.fault(resource, fault)
      if (fault.severity !== 'warning') wrong.add(resource)
    }
  }
  for (const document of faulty) {
    const mended = mendDocument(document.value, schemas[document.kind])
    if (mended === undefined) continue
    const guess = resourceOf({ ...document, value: mended.value })
    const spec = isOf(guess, 'Policy') ? taken.of(guess.spec) : undefined
    const resource = finish(spec === undefined ? guess : { ...guess, spec }, known.project, new Map())
    for (const fault of mended.own(faultsOf(resource, seen))) report.fault(document, fault)
  }
}

const asLookup = (known: Known, declared: Shaped['declared']): Lookup => ({
  ...known,
  mayHave: (kind, name) => declared.has(`${kind}/${name}`) || known.declared(kind).some(each => mayBe(each, name)),
})

/** The settings of the Project in a file, or their defaults: they say where the other files are. */
export function projectSettings({ documents }: ParsedSource): ProjectSpec {
  const valid = documents.find(
    ({ value }) =>
      headFault(value) === undefined &&
      (value as Headed['value']).kind === 'Project' &&
      shapeFaults(value, schemas.Project).length === 0,
  )
  if (valid === undefined) return DEFAULTS
  // The file is still to be judged as it is written.
  return fillDefaults(structuredClone(valid.value) as { spec: ProjectSpec }, schemas.Project).spec
}

/** Where a Project lists folders that are not there. Of the folders that it has by default it need not have any. */
function absentFolders({ value }: Headed, absent: ReadonlySet<string>): Fault[] {
  const { folders = [] } = value.spec as Partial<ProjectSpec>
  return folders.flatMap((folder, i): Fault[] => {
    if (!absent.has(folder)) return []
    const message = `there is no folder \`${folder}\`, so nothing is read from it`
    const hint = 'folders are relative to that of dap.yaml: mend the name, make the folder, or take it out'
    return [{ severity: 'warning', code: 'reference', message, hint, path: ['spec', 'folders', i] }]
  })
}

/** The documents of a file; what keeps it from being read is told. */
function documentsOf(source: ParsedSource, report: Report, hidden: Hidden[]): Parsed[] {
  const { documents, faults } = source
  const { path: file, text } = source.file
  if (text === undefined) {
    const { unreadable: message, hint } = source.file
    report.file(file, { message, hint })
    hidden.push({ file })
    return []
  }
  for (const fault of faults) report.yaml(file, fault)
  if (documents.length + faults.length === 0) report.file(file, NO_DOCUMENT)
  if (faults.length > 0) hidden.push(...hiddenIn(file, text))
  return documents.map(({ index, value }) => ({ file, index, value }))
}

/** It may have had something that was not to go. */
const NO_DOCUMENT = {
  severity: 'warning',
  message: 'nothing is in the file: it is empty, or all of it is commented out',
  hint: 'remove it, if nothing is meant to be in it',
} as const

interface Parsed extends DocumentId {
  readonly value: unknown
}

interface Headed extends DocumentId {
  readonly kind: Kind
  readonly value: Record<string, unknown>
}

function headed({ file, index, value }: Parsed, report: Report, hidden: Hidden[]): Headed[] {
  const fault = headFault(value)
  if (fault === undefined) {
    return [{ file, index, kind: (value as { kind: Kind }).kind, value: value as Record<string, unknown> }]
  }
  report.fault({ file, index }, fault)
  hidden.push(isMapping(value) ? { file, kind: kindOf(value.kind), names: namesOf(value) } : { file })
  return []
}

/** A document of the right shape as a resource; the digest comes with the Project's defaults. */
function resourceOf({ kind, value, file, index }: Headed): Resource {
  const { metadata, spec } = fillDefaults(value as unknown as Pick<Resource, 'metadata' | 'spec'>, schemas[kind])
  return { kind, name: metadata.name, metadata, spec, file, index, digest: '' }
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

function namesOf(value: Record<string, unknown>): readonly string[] | undefined {
  const name = nameOf(value)
  return name === undefined ? undefined : [name]
}

/** What may be there once: a kind and a name, and of a Deployment the environment, too. */
function keyOf(kind: Kind, name: string | undefined, spec: unknown): string {
  return kind === 'Deployment' ? `${kind}/${environmentOf(spec)}/${name}` : `${kind}/${name}`
}

function environmentOf(spec: unknown): string | undefined {
  return isMapping(spec) && typeof spec.environment === 'string' ? spec.environment : undefined
}

function duplicateName({ kind, value }: Headed, name: string): Fault {
  const environment = kind === 'Deployment' ? environmentOf(value.spec) : undefined
  const where = environment === undefined ? '' : ` in the environment \`${environment}\``
  return { code: 'duplicate', message: `there is another ${kind} \`${name}\`${where}`, path: NAME }
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
  return (projects[0]?.spec as ProjectSpec | undefined) ?? DEFAULTS
}

/** The settings where nothing is said. */
const DEFAULTS = fillDefaults({ kind: 'Project', metadata: {}, spec: {} as ProjectSpec }, schemas.Project).spec

/** The Project's defaults, and the digest of the whole. Keeps the index by name up to date. */
function finish(resource: Resource, { defaults }: ProjectSpec, byName: Map<string, Resource>): Resource {
  const spec = withProjectDefaults(resource, defaults)
  const { kind, name } = resource
  const finished = { ...resource, spec, digest: resourceDigest(kind, name, spec) }
  const key = keyOf(kind, name, spec)
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
