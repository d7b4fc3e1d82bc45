import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import type { Place } from '../deploy/routes.ts'
import { targetOf } from '../deploy/wanted/desired.ts'
import { didYouMean } from '../diagnostics.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { DOCTOR_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import type { Resource } from '../repo/resource.ts'
import type { DoctorCheck, DoctorResult } from '../results.ts'
import { isMapping } from '../schema/shape.ts'
import { doctorText } from '../ui/doctor.ts'
import { plural } from '../ui/numbers.ts'
import { openCloudOnce } from './deploying/engine.ts'
import { CREDENTIALS_VARIABLE, type Credentials, findCredentials } from './doctor/credentials.ts'
import { REGIONS } from './doctor/regions.ts'
import { listed } from './list.ts'
import { findRoot, type Opened, openRepository } from './opening/repository.ts'
import { faultsOf } from './opening/rules.ts'

interface Options {
  /** Of the environments this one alone. */
  readonly environment: string | undefined
  readonly offline: boolean
}

type Check = Omit<DoctorCheck, 'environment'>

export const doctorCommand = defineCommand<Options, DoctorResult>({
  declare: command =>
    command
      .option('--env <name>', 'of the Environments look at this one alone')
      .option('--offline', 'ask no cloud and no emulator')
      .addHelpText(
        'after',
        '\nLooks at this machine, the repository, and the Environments: what is missing, and how to mend it. Nothing is changed, and no\nsecret is printed. A cloud is asked only to list, and for ten seconds at most.\n\nexit codes: 0 nothing failed (warnings allowed), 1 something failed, 3 usage',
      ),

  options: (_, { env, offline }) => ({ environment: env as string | undefined, offline: offline === true }),

  async run({ environment, offline }, host) {
    const root = await findRoot(host)
    const opened = root === undefined ? undefined : await openRepository(host, root)
    if (environment !== undefined) requireEnvironment(opened, environment)
    const checks: DoctorCheck[] = []
    const add = (all: readonly Check[], about: string | null = null) => {
      for (const each of all) checks.push({ environment: about, ...each })
    }
    add(await machineChecks(host, root ?? host.cwd))
    add(opened === undefined ? [NO_REPOSITORY] : await repositoryChecks(host, opened))
    const credentials = await findCredentials(host)
    for (const each of opened?.repository.all('Environment').toSorted((a, b) => (a.name < b.name ? -1 : 1)) ?? []) {
      if (environment === undefined || each.name === environment) {
        add(await environmentChecks(host, opened!, each, { offline, credentials }), each.name)
      }
    }
    const count = (state: DoctorCheck['state']) => checks.filter(each => each.state === state).length
    return { schema: DOCTOR_RESULT_SCHEMA, checks, failed: count('failed'), warnings: count('warning') }
  },

  text: doctorText,
  json: result => result,
  exitCode: ({ failed }) => (failed > 0 ? ExitCode.no : ExitCode.done),
})

function requireEnvironment(opened: Opened | undefined, name: string): void {
  const known = opened?.repository.all('Environment').map(each => each.name) ?? []
  if (known.includes(name)) return
  throw new UsageError(`no environment \`${name}\``, {
    hint:
      didYouMean(name, known) ??
      '`dap list environments` shows them; `dap validate` says what is wrong with a broken one',
  })
}

const ok = (id: string, found: string): Check => ({ id, state: 'ok', found, mend: null })
const check = (id: string, state: Check['state'], found: string, mend: string | null = null): Check => ({
  id,
  state,
  found,
  mend,
})

const NO_REPOSITORY = check(
  'repository',
  'not-checked',
  'there is no `dap.yaml` in this folder or above it',
  '`dap init DIR` makes a repository',
)

/** dap's own, and of repositories that it makes. */
const LEAST_NODE = [22, 12]

const GIGABYTE = 1e9

async function machineChecks(host: Host, folder: string): Promise<Check[]> {
  const { node, memory, disk, temporary } = await host.machine(folder)
  const [major, minor] = node.split('.').map(Number)
  const old = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])
  const program = async (name: string, mend: string, what: string) => {
    const version = await host.programVersion(name)
    return version === null ? check(name, 'warning', `not installed: ${what}`, mend) : ok(name, version)
  }
  const space = (id: string, bytes: number, what: string, mend: string) =>
    bytes < GIGABYTE
      ? check(id, 'warning', `${(bytes / GIGABYTE).toFixed(1)} GB free, and ${what}`, mend)
      : ok(id, `${(bytes / GIGABYTE).toFixed(1)} GB free`)
  return [
    ok('dap', host.version),
    old
      ? check('node', 'failed', `${node} is older than ${LEAST_NODE.join('.')}`, 'install a newer Node')
      : ok('node', node),
    await program('npm', 'it comes with Node', 'a repository installs its dap by it'),
    await program('git', 'install git', 'a deployment records the commit that it was made from'),
    space('memory', memory, 'logs are read with up to 1 GB', '`--memory` lets evaluate and train take less'),
    space(
      'disk',
      Math.min(disk, temporary),
      'what does not fit in memory is spilt there',
      'make room, or name another folder with `--spill`',
    ),
  ]
}

async function repositoryChecks(host: Host, opened: Opened): Promise<Check[]> {
  const diagnostics = await faultsOf(host, opened)
  const { files } = opened.repository
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = diagnostics.length - errors
  const valid =
    errors > 0
      ? check('repository', 'failed', plural(errors, 'error'), '`dap validate` shows them')
      : warnings > 0
        ? check('repository', 'warning', plural(warnings, 'warning'), '`dap validate` shows them')
        : ok('repository', `${plural(files, 'file')}, all valid`)
  return [
    valid,
    await pinCheck(host, opened.root),
    await hookCheck(host, opened.root),
    ...(await fileChecks(host, opened)),
  ]
}

/** Does the repository install the dap that runs? */
async function pinCheck(host: Host, root: string): Promise<Check> {
  const { name } = (await host.ownPackage()).manifest
  const path = join(root, 'package.json')
  const mend = `\`npm ci\`, then \`npx --no-install dap\` runs the one that is pinned`
  if (!(await host.files.exists(path)))
    return check('pin', 'warning', 'there is no package.json: nothing says which dap this repository is for')
  let json: unknown
  try {
    json = JSON.parse(await host.files.read(path))
  } catch {
    return check('pin', 'failed', 'package.json cannot be read as JSON', 'mend it, or take it from Git')
  }
  const { dependencies, devDependencies } = isMapping(json) ? json : {}
  const all = { ...(isMapping(devDependencies) && devDependencies), ...(isMapping(dependencies) && dependencies) }
  const wanted = all[name as keyof typeof all] as unknown
  if (typeof wanted !== 'string')
    return check(
      'pin',
      'warning',
      `package.json does not depend on ${name}`,
      `add it to its dependencies, with its exact version`,
    )
  const [, version] = /(?:^|-)(\d+\.\d+\.\d+(?:-[\w.]+?)?)(?:\.tgz)?$/.exec(wanted) ?? []
  if (version === undefined)
    return check(
      'pin',
      'warning',
      `package.json asks for ${name} ${wanted}, which is no exact version`,
      'write the exact version',
    )
  if (version !== host.version)
    return check('pin', 'warning', `package.json pins ${version}, and this is ${host.version}`, mend)
  return ok('pin', `package.json pins ${version}`)
}

async function hookCheck(host: Host, root: string): Promise<Check> {
  const id = 'pre-commit'
  if (!(await host.files.exists(join(root, '.pre-commit-config.yaml')))) {
    return check(id, 'not-checked', 'there is no .pre-commit-config.yaml')
  }
  const hooks = await host.hooks(root)
  if (hooks === null)
    return check(
      id,
      'warning',
      'this is no repository of Git, so nothing runs before a commit',
      '`git init`, then `pre-commit install`',
    )
  if (await host.files.exists(join(hooks, 'pre-commit'))) return ok(id, 'the hook is installed')
  return check(id, 'warning', 'the hook is not installed: a commit checks nothing', '`pre-commit install`')
}

/** Files that Datasets and Deployments name. */
async function fileChecks(host: Host, opened: Opened): Promise<Check[]> {
  const datasets = await listed(host, opened, 'Dataset')
  const deployments = await listed(host, opened, 'Deployment')
  const empty = datasets.flatMap(({ name, data }) =>
    data !== null && data.missing !== null ? [`${name}: ${data.missing}`] : [],
  )
  const gone = deployments.flatMap(({ name, environment, serves }) =>
    serves?.found === false ? [`${environment}/${name}: ${serves.snapshot}`] : [],
  )
  return [
    empty.length === 0
      ? ok('data', `${plural(datasets.length, 'dataset')}, their files are there`)
      : check(
          'data',
          'warning',
          empty.join('; '),
          'put the data there, or mend `files`; a log of `dap serve` comes with its first decision',
        ),
    gone.length === 0
      ? ok('snapshots', 'those of deployments are there')
      : check(
          'snapshots',
          'warning',
          `not there: ${gone.join('; ')}`,
          '`dap train POLICY --dataset D --out FILE` makes one',
        ),
  ]
}

interface Asking {
  readonly offline: boolean
  readonly credentials: Credentials
}

async function environmentChecks(
  host: Host,
  { repository }: Opened,
  environment: Resource<'Environment'>,
  asking: Asking,
): Promise<Check[]> {
  const { target, gcp } = environment.spec
  const errors = repository.errorsOf(environment)
  if (errors > 0)
    return [check('settings', 'failed', plural(errors, 'error'), `\`dap validate ${environment.file}\` shows them`)]
  const { place } = targetOf({ name: '', id: '' }, environment)
  if (target === 'emulator' || gcp === undefined) {
    return [await emulatorCheck(host, place, asking)]
  }
  const { project, region, bucket, image } = gcp
  const reads = refusal(asking)
  return [
    ok('settings', `project ${project}, bucket ${bucket}`),
    REGIONS.includes(region)
      ? ok('region', region)
      : check(
          'region',
          'warning',
          `dap does not know of endpoints in ${region}`,
          didYouMean(region, REGIONS) ?? 'mend `spec.gcp.region`, if Google Cloud has no such region',
        ),
    /@sha256:0{64}$/.test(image)
      ? check(
          'image',
          'warning',
          'the digest is all zeros: no image has been built',
          `\`dap image build --env ${environment.name} --push\` builds one, and prints the digest to pin`,
        )
      : ok('image', `pinned by ${image.slice(image.indexOf('@') + 1, image.indexOf('@') + 20)}…`),
    credentialsCheck(asking.credentials),
    await asked(host, 'endpoints', reads, async () => {
      const found = await (await openCloudOnce(host, place)).listRoutes()
      return `${plural(found.length, 'endpoint')} can be listed`
    }),
    await asked(host, 'bucket', reads, async () => {
      await (await openCloudOnce(host, place)).listArtefacts('dap/bundles/none-')
      return `${bucket} can be read`
    }),
    check('quota', 'not-checked', 'dap reads no quotas; a deploy that goes beyond one says which', null),
  ]
}

async function emulatorCheck(host: Host, place: Place, { offline }: Asking): Promise<Check> {
  const found = await asked(host, 'emulator', offline ? '--offline' : undefined, async () => {
    await (await openCloudOnce(host, place)).listRoutes()
    return 'it answers'
  })
  // It runs only while somebody tries something, so that it does not is no failure.
  return found.state === 'failed' ? { ...found, state: 'warning' } : found
}

function credentialsCheck(credentials: Credentials): Check {
  const mend = '`gcloud auth application-default login`, or in CI workload identity'
  if (credentials === undefined) {
    return check(
      'credentials',
      'warning',
      'no file of application default credentials; only machines of Google Cloud do without',
      mend,
    )
  }
  if ('fault' in credentials) {
    return check(
      'credentials',
      'failed',
      `${credentials.path}: ${credentials.fault}`,
      `${mend}; ${CREDENTIALS_VARIABLE} names another file`,
    )
  }
  return ok('credentials', `${credentials.type} in ${credentials.path}`)
}

/** Why the cloud is not asked, if it is not. */
function refusal({ offline, credentials }: Asking): string | undefined {
  if (offline) return '--offline'
  return credentials === undefined || 'fault' in credentials ? 'there are no credentials' : undefined
}

const LIMIT_MS = 10_000

/** Asks something of a cloud, once, and not for long. */
async function asked(host: Host, id: string, reason: string | undefined, ask: () => Promise<string>): Promise<Check> {
  if (reason !== undefined) return check(id, 'not-checked', reason)
  const limit = AbortSignal.any([AbortSignal.timeout(LIMIT_MS), host.signal])
  const late = new Promise<Check>(done =>
    limit.addEventListener('abort', () =>
      done(check(id, 'not-checked', `no answer within ${LIMIT_MS / 1000} s`, 'look at the network, and at the proxy')),
    ),
  )
  const answer = ask().then(
    found => ok(id, found),
    (error: unknown) => {
      if (error instanceof DapError) return check(id, 'failed', error.message, error.hint ?? null)
      throw error
    },
  )
  const found = await Promise.race([answer, late])
  host.signal.throwIfAborted()
  return found
}
