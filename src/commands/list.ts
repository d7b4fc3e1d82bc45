import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import { DapError, ExitCode } from '../errors.ts'
import { LIST_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import { KINDS, type Kind } from '../kinds.ts'
import type { Resource } from '../repo/resource.ts'
import type { ListedResource, ListResult } from '../results.ts'
import { listText } from '../ui/list.ts'
import { recordedState } from './evidence/evidence.ts'
import { byCodeUnit } from './opening/found-files.ts'
import { type Opened, openRepository } from './opening/repository.ts'
import { faultsOf } from './opening/rules.ts'
import { findDataFiles } from './reading/data-files.ts'
import { parseKind } from './schema.ts'

interface Options {
  /** Absent: all kinds. */
  readonly kind: Kind | undefined
}

export const listCommand = defineCommand<Options, ListResult>({
  declare: command =>
    command
      .argument('[kind]', `one of ${KINDS.join(', ')}; upper or lower case, one or many`)
      .addHelpText(
        'after',
        '\nOnly files are read: nothing is asked of a cloud. Evidence is stale once anything that it depends on has changed.\n\nexit codes: 0 listed, 1 a file has errors, so that something may not be listed, 3 usage',
      ),

  options: ([kind]) => ({ kind: kind === undefined ? undefined : parseKind(singular(kind), kind) }),

  async run({ kind }, host) {
    const opened = await openRepository(host)
    const diagnostics = await faultsOf(host, opened)
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length
    const resources: ListedResource[] = []
    for (const each of kind === undefined ? KINDS : [kind]) resources.push(...(await listed(host, opened, each)))
    return { schema: LIST_RESULT_SCHEMA, resources, errors, warnings: diagnostics.length - errors }
  },

  text: listText,
  json: result => result,
  exitCode: ({ errors }) => (errors > 0 ? ExitCode.no : ExitCode.done),
})

/** `policies` is understood, too. */
const singular = (word: string) => word.replace(/ies$/i, 'y').replace(/s$/i, '')

/** Those of one kind by name, and of one name by environment. */
export async function listed(host: Host, opened: Opened, kind: Kind): Promise<ListedResource[]> {
  const { repository } = opened
  const found: ListedResource[] = []
  for (const resource of repository.all(kind)) found.push(await stateOf(host, opened, resource))
  for (const document of repository.misshapen) {
    if (document.kind !== kind) continue
    const { name = null, environment = null, file } = document
    found.push({ kind, name, environment, file, errors: repository.errorsOf(document), ...NOTHING_KNOWN })
  }
  const keys = ({ name, environment, file }: ListedResource) => [name ?? '~', environment ?? '', file]
  return found.sort((a, b) => {
    const differing = keys(a).findIndex((key, i) => key !== keys(b)[i])
    return differing === -1 ? 0 : byCodeUnit(keys(a)[differing], keys(b)[differing])
  })
}

const NOTHING_KNOWN = { evidence: null, data: null, place: null, serves: null }

async function stateOf(host: Host, opened: Opened, resource: Resource): Promise<ListedResource> {
  const { kind, name, file } = resource
  const about = { kind, name, environment: null, file, errors: opened.repository.errorsOf(resource), ...NOTHING_KNOWN }
  if (isOf(resource, 'Scenario'))
    return { ...about, evidence: await recordedState(host, opened, { kind: 'scenario', name }) }
  if (isOf(resource, 'Evaluation')) {
    return { ...about, evidence: await recordedState(host, opened, { kind: 'evaluation', name }) }
  }
  if (isOf(resource, 'Dataset')) return { ...about, data: await foundData(host, opened, resource) }
  if (isOf(resource, 'ActionSet')) return { ...about, data: await foundActions(opened, resource) }
  if (isOf(resource, 'Model')) return { ...about, data: await foundModel(opened, resource) }
  if (isOf(resource, 'Environment')) {
    const { target, gcp } = resource.spec
    return { ...about, place: { target, project: gcp?.project ?? null, region: gcp?.region ?? null } }
  }
  if (isOf(resource, 'Deployment')) {
    const { environment, policy, snapshot = null } = resource.spec
    const found = snapshot === null ? null : await host.files.exists(join(opened.root, snapshot))
    return { ...about, environment, serves: { policy, snapshot, found } }
  }
  return about
}

const isOf = <K extends Kind>(resource: Resource, kind: K): resource is Resource & Resource<K> => resource.kind === kind

async function foundActions(opened: Opened, set: Resource<'ActionSet'>): Promise<ListedResource['data']> {
  const { reading } = await opened.readers.readSet(set)
  if ('list' in reading) return { files: 1, missing: null, actions: reading.list.length }
  const [{ message }] = [...reading.faults, ...reading.cells]
  return { files: 0, missing: message }
}

/** A model on a server has no file, unless it is calibrated or has rows of parity. */
async function foundModel(opened: Opened, model: Resource<'Model'>): Promise<ListedResource['data']> {
  const { runtime, calibration, parity } = model.spec
  const named = [runtime.type === 'onnx' ? runtime : undefined, calibration, parity].filter(each => each !== undefined)
  const { faults, cells } = await opened.readers.readModel(model)
  const [first] = [...faults, ...cells.map(({ fault }) => fault)]
  return { files: named.length, missing: first?.message ?? null }
}

async function foundData(
  host: Host,
  opened: Opened,
  { spec: { files, format, rewards } }: Resource<'Dataset'>,
): Promise<ListedResource['data']> {
  try {
    const { paths } = await findDataFiles(host, opened, files, format)
    const own = rewards && (await findDataFiles(host, opened, rewards.files, rewards.format ?? format))
    return { files: paths.length + (own?.paths.length ?? 0), missing: null }
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    return { files: 0, missing: error.message }
  }
}
