import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DapError, UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { type Bundle, checkBundle, openBundle } from '../../policy/bundle.ts'
import { forgetsBy } from '../../policy/forgetting.ts'
import { isList } from '../../policy/lists/slots.ts'
import { loadRepository } from '../../repo/repository.ts'
import type { ControlFile, Loaded, PolicyLoader, ServedPolicy } from '../../serve/deciding/policies.ts'
import { jsonFaultPlace } from '../../serve/json.ts'
import { filesBelow } from '../opening/found-files.ts'
import { bundledModel, createModelShelf, type ModelShelf } from '../opening/model-shelf.ts'
import { loadPolicy, readJson, snapshotPath, usualSnapshot } from '../opening/policies.ts'
import {
  confirmedRoots,
  dataFile,
  type Opened,
  openRepository,
  PROJECT_FILE,
  projectFiles,
} from '../opening/repository.ts'

const BUNDLE_FILE = 'bundle.json'
/** How many folders deep bundles are looked for. */
const MAX_DEPTH = 2

/** A bundle is read whole. */
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024

/** Where bundles are: a file or folder here, or in Cloud Storage. */
interface Shelf {
  /** The bundles there, by what they are called, each with a text that changes when it does. */
  list(): Promise<readonly { readonly name: string; readonly stamp: string }[]>
  read(name: string): Promise<unknown>
  /** Finds the file of a Model beside a bundle, or says why not. */
  beside(name: string): (file: string) => Promise<string>
}

/** Serves a bundle, or every `bundle.json` at most two folders below a folder. The location is a path, a `file://` or a `gs://` URL. */
export function bundleLoader(host: Host, location: string): PolicyLoader {
  const shelf = location.startsWith('gs://')
    ? cloudShelf(host, location)
    : folderShelf(host, bundlePath(host, location))
  const models = createModelShelf(host)
  return {
    stamp: async () => (await shelf.list()).map(({ name, stamp }) => `${name} ${stamp}`).join('\n'),
    async load() {
      const found = await shelf.list()
      const faults = found.length === 0 ? [`there is no ${BUNDLE_FILE} in \`${location}\``] : []
      let hint: string | undefined
      const policies = new Map<string, ServedPolicy>()
      const from = new Map<string, string>()
      for (const { name: shown } of found) {
        const loaded = await faultsInstead(async () => readServed(await shelf.read(shown), models, shelf.beside(shown)))
        if ('faults' in loaded) {
          if (faults.length === 0) hint = loaded.hint
          faults.push(...loaded.faults.map(fault => `bundle \`${shown}\`: ${fault}`))
          continue
        }
        const { name } = loaded.policy
        const other = from.get(name)
        if (other !== undefined) faults.push(`bundles \`${other}\` and \`${shown}\` are both of policy \`${name}\``)
        from.set(name, shown)
        if (other === undefined) policies.set(name, loaded)
        else policies.delete(name)
      }
      return { policies, faults, hint }
    },
  }
}

/** Is this path, relative to the folder, one of a bundle that is not too deep? */
const isBundle = (path: string): boolean => {
  const parts = path.split(/[\\/]/)
  return parts.length <= MAX_DEPTH + 1 && parts.at(-1) === BUNDLE_FILE
}

function folderShelf(host: Host, place: string): Shelf {
  const stamped = async (path: string) => ({ name: relative(host.cwd, path), stamp: await host.files.stamp(path) })
  return {
    async list() {
      if (!(await host.files.isFolder(place))) return [await stamped(place)]
      const within = await confirmedRoots(host)
      const bundles = await filesBelow(
        host,
        place,
        within,
        path => isBundle(relative(place, path)),
        folder => relative(place, folder).split(/[\\/]/).length <= MAX_DEPTH,
      )
      return Promise.all(bundles.map(({ path }) => stamped(path)))
    },
    read: name => readJson(host, resolve(host.cwd, name)),
    beside: name => async file => modelBeside(host, dirname(resolve(host.cwd, name)), file),
  }
}

function cloudShelf(host: Host, location: string): Shelf {
  return {
    async list() {
      const objects = await (await host.objects()).list(location)
      const folder = location.endsWith('/') ? location : `${location}/`
      return objects
        .filter(({ uri }) => uri === location || (uri.startsWith(folder) && isBundle(uri.slice(folder.length))))
        .map(({ uri, stamp }) => ({ name: uri, stamp }))
    },
    async read(name) {
      const text = await (await host.objects()).read(name, MAX_BUNDLE_BYTES)
      try {
        return JSON.parse(text)
      } catch {
        throw new DapError(`it is not JSON: the fault is at ${jsonFaultPlace(text)}`)
      }
    },
    beside: () => async file => {
      throw new DapError(`\`${file}\` is a model in a file, which is not read from Cloud Storage`, {
        hint: 'put the folder of the bundle where the server is, for example into its image',
      })
    },
  }
}

/**
 * Serves all policies of a repository, each with the snapshot that `snapshots` names for it, else with `snapshots/<policy>.json` if that
 * exists. While any file of the repository has errors, nothing new is served: what they have to do with each other is not known then.
 */
export function repositoryLoader(
  host: Host,
  root: string,
  { snapshots, migrate }: { readonly snapshots: ReadonlyMap<string, string>; readonly migrate: boolean },
): PolicyLoader {
  let last: Opened | undefined
  const models = createModelShelf(host)
  const overrides = new Map([...snapshots].map(([name, path]) => [name, resolve(host.cwd, path)]))
  return {
    async stamp() {
      const opened = last ?? (await openRepository(host, root))
      last = opened
      const { repository } = opened
      const { files, unread } = await projectFiles(host, opened, repository.project.folders)
      const yaml = [...files, ...unread].map(({ path }) => path)
      const usual = repository.all('Policy').map(({ name }) => snapshotPath(opened, name))
      const sets = repository.all('ActionSet').map(({ spec }) => resolve(root, spec.file))
      const named = repository
        .all('Model')
        .flatMap(({ spec: { runtime, calibration } }) => [
          ...(runtime.type === 'onnx' ? [runtime.file] : []),
          ...(calibration === undefined ? [] : [calibration.file]),
        ])
        .map(file => resolve(root, file))
      return stamps(host, [join(root, PROJECT_FILE), ...yaml, ...sets, ...named, ...usual, ...overrides.values()])
    },
    async load() {
      const opened = await openRepository(host, root)
      const { repository } = opened
      const errors = repository.diagnostics.filter(({ severity }) => severity === 'error')
      // What is broken says less of what to look at, and a stamp that changed for that would report its faults twice.
      if (errors.length === 0) last = opened
      const faults = errors.slice(0, 10).map(({ file, line, message }) => `${file}:${line} ${message}`)
      const names = repository.all('Policy').map(({ name }) => name)
      for (const name of overrides.keys()) {
        if (!names.includes(name)) faults.push(`a snapshot is named for \`${name}\`, which is no policy here`)
      }
      const policies = new Map<string, ServedPolicy>()
      if (errors.length > 0) return { policies, faults }
      let hint: string | undefined
      for (const name of names) {
        const snapshot = overrides.get(name) ?? (await usualSnapshot(host, opened, name))
        const loaded = await faultsInstead(async () => {
          const own = await loadPolicy(host, opened, name, { snapshot, migrate })
          return { ...own, model: await models.open(own.policy, file => dataFile(host, opened, file)) }
        })
        if ('faults' in loaded) {
          if (faults.length === 0) hint = loaded.hint
          faults.push(...loaded.faults)
        } else policies.set(name, loaded)
      }
      return { policies, faults, hint }
    },
  }
}

/** The file of a Model as `dap bundle` leaves it: in a folder beside the bundle, under its own name. */
async function modelBeside(host: Host, folder: string, file: string): Promise<string> {
  const path = join(folder, bundledModel(file))
  if (await host.files.exists(path)) return path
  throw new DapError(`the model \`${relative(host.cwd, path)}\` is not there`, {
    hint: 'a bundle is the whole folder that `dap bundle` made, with the models in it',
  })
}

/** The kill switch at a path where a file may come and go. */
export function controlFile(host: Host, path: string): ControlFile {
  const place = resolve(host.cwd, path)
  return {
    stamp: () => host.files.stamp(place),
    read: async () => ((await host.files.exists(place)) ? host.files.read(place, 1024 * 1024) : undefined),
  }
}

function bundlePath(host: Host, location: string): string {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location) ?? []
  if (scheme === undefined) return resolve(host.cwd, location)
  if (scheme.toLowerCase() === 'file') {
    try {
      return fileURLToPath(location)
    } catch (cause) {
      throw new UsageError(`\`${location}\` is not the URL of a file here`, { hint: 'file:///path/to/bundles', cause })
    }
  }
  throw new UsageError(`bundles cannot be read from \`${scheme}://\``, { hint: 'a path, file:// or gs://' })
}

async function readServed(
  json: unknown,
  models: ModelShelf,
  find: (file: string) => Promise<string>,
): Promise<ServedPolicy | Pick<Loaded, 'faults' | 'hint'>> {
  const checked = checkBundle(json)
  if ('faults' in checked) return checked
  const faults = await policyFaults(checked.bundle)
  if (faults.length > 0) return { faults }
  const opened = openBundle(checked.bundle)
  if ('faults' in opened) return opened
  const { policy, snapshot } = opened
  return { policy, snapshot, model: await models.open(policy, find) }
}

/**
 * What `dap validate` says of the policy in a bundle: whoever wrote the file may never have asked. A rule on a fallback or on a holdout action, as
 * bundles of older daps may have it, is no reason to serve nobody: what the rule excludes is not served.
 */
async function policyFaults({ policy: { name, spec } }: Bundle): Promise<string[]> {
  const text = JSON.stringify({ apiVersion: 'dap/v1', kind: 'Policy', metadata: { name }, spec })
  const { diagnostics } = await loadRepository([{ path: BUNDLE_FILE, text }])
  return diagnostics
    .filter(({ severity, code }) => severity === 'error' && code !== 'eligibility')
    .map(({ message }) => message)
}

async function stamps(host: Host, paths: readonly string[]): Promise<string> {
  const each = await Promise.all(paths.map(async path => `${path} ${await host.files.stamp(path)}`))
  return each.join('\n')
}

/** What the user can act on is a fault of what was to be loaded, and not the end of the server. */
async function faultsInstead<T>(load: () => Promise<T>): Promise<T | Pick<Loaded, 'faults' | 'hint'>> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof DapError) return { faults: [error.message], hint: error.hint }
    throw error
  }
}

/**
 * The policies that can learn at once. One that forgets cannot: its snapshot has no buckets of time that could grow older; nor can one of lists, which teach by
 * what was seen of them.
 */
export function learnableLoader({ stamp, load }: PolicyLoader): PolicyLoader {
  return {
    stamp,
    async load() {
      const { policies, faults, hint } = await load()
      const learnable = new Map(policies)
      const others = [...policies.values()].flatMap(({ policy: { name, spec } }) => {
        const option = forgetsBy(spec.algorithm.learner)
        if (option === undefined && !isList(spec)) return []
        learnable.delete(name)
        const does =
          option === undefined
            ? 'decides lists, from which --learn does not learn'
            : `forgets (\`${option}\`), which --learn cannot do`
        return `policy \`${name}\` ${does}: leave --learn out, and train it on the log by \`dap train\``
      })
      return { policies: learnable, faults: [...faults, ...others], hint }
    },
  }
}
