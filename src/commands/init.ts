import { createHash, randomInt } from 'node:crypto'
import { basename, join, resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { INIT_RESULT_SCHEMA, NEW_ID_RESULT_SCHEMA } from '../generated/names.ts'
import { schemas } from '../generated/schemas.js'
import type { Host, OwnPackage } from '../host.ts'
import { kindWord } from '../kind-word.ts'
import { KINDS } from '../kinds.ts'
import { pinFiles } from '../scaffold/pin.ts'
import { isExtended, type NewFile, type Placed, place, type Standing } from '../scaffold/placement.ts'
import { projectIdOf, withProjectId } from '../scaffold/project-id.ts'
import { render, TEMPLATE_FILE, type TemplateInfo, type TextFile, templateInfo } from '../scaffold/template.ts'
import { initText, type Making, placementText } from '../ui/init.ts'
import { createStyle } from '../ui/style.ts'
import { RESOURCE_NAME, RESOURCE_NAME_HINT } from './arguments.ts'
import { filesBelow } from './opening/found-files.ts'
import { displayPath, PROJECT_FILE } from './opening/repository.ts'

interface Options {
  /** Write over what is in the way. */
  readonly force: boolean
  /** Say what would be made, and make nothing. */
  readonly dryRun: boolean
  /** Somebody is at the terminal who was asked, and is asked once more before anything is written. */
  readonly asked: boolean
  /** Absolute. */
  readonly folder: string
  /** As it was typed; empty for the working folder. */
  readonly place: string
  readonly template: string
  /** Whose CI checks and deploys it; undefined: nobody's. */
  readonly ci: string | undefined
  /** The project's name. */
  readonly project: string
}

type Initialised = Options & Making

/** An id of its own for a repository that is there already. */
interface Renewed {
  /** Of the `dap.yaml`, as it was typed. */
  readonly place: string
  readonly projectId: string
  /** null: it had none. */
  readonly before: string | null
}

/** A folder each in `templates/_ci`; the first one where nobody says. */
const CI_SYSTEMS = ['github', 'gitlab'] as const

function ciSystem(asked: string = CI_SYSTEMS[0]): string | undefined {
  if (asked === 'none') return undefined
  if (CI_SYSTEMS.some(system => system === asked)) return asked
  const known = [...CI_SYSTEMS, 'none']
  throw new UsageError(`unknown CI system \`${asked}\``, {
    hint: didYouMean(asked, known) ?? `one of ${known.join(', ')}`,
  })
}

type Asked = Options | { readonly newId: string; readonly place: string }

export const initCommand = defineCommand<Asked, Initialised | Renewed>({
  declare: command =>
    command
      .argument('[dir]', 'folder to make it in; default: this one')
      .option('-t, --template <name>', 'what to begin with; asked for when there is a terminal')
      .option('--name <name>', "the project's name; default: the folder's")
      .option(
        '--ci <system>',
        `${CI_SYSTEMS.join(' or ')}, which checks pull requests and deploys merges, or none; default: ${CI_SYSTEMS[0]}`,
      )
      .option('--dry-run', 'show what would be made, kept and overwritten, and write nothing')
      .option('--force', 'overwrite files that are in the way')
      .option('--new-id', 'give the repository that is there another `projectId`: a copy of one is not its original'),

  async options([dir = '.'], flags, host) {
    const folder = resolve(host.cwd, dir)
    if (flags['newId'] === true) {
      const other = ['template', 'name', 'ci', 'dryRun', 'force'].find(flag => flags[flag] !== undefined)
      if (other !== undefined)
        throw new UsageError(
          `--new-id is for a repository that is there, --${other.replace('R', '-r')} is for a new one`,
        )
      return { newId: folder, place: folder === host.cwd ? '' : dir }
    }
    const templates = await listTemplates(host)
    const names = templates.map(({ name }) => name)
    let template = flags['template'] as string | undefined
    if (template === undefined) {
      if (!host.terminal.interactive) {
        throw new UsageError('which template?', { hint: `--template ${names.join(' or --template ')}` })
      }
      template = await host.choose(
        'Which template?',
        templates.map(({ name, info }) => ({ value: name, description: info.description })),
      )
    }
    if (!names.includes(template)) {
      throw new UsageError(`unknown template \`${template}\``, {
        hint: didYouMean(template, names) ?? `one of ${names.join(', ')}`,
      })
    }
    const asked = flags['template'] === undefined
    const standard = projectName(basename(folder))
    const project =
      (flags['name'] as string | undefined) ??
      (asked ? await host.ask({ question: 'What is it called?', standard, check: nameFault }) : standard)
    const fault = nameFault(project)
    if (fault !== undefined) throw new UsageError(fault, { hint: `--name takes ${RESOURCE_NAME_HINT}` })
    const [force, dryRun] = [flags['force'] === true, flags['dryRun'] === true]
    const ci = ciSystem(flags['ci'] as string | undefined)
    return { folder, place: folder === host.cwd ? '' : dir, template, project, ci, force, dryRun, asked }
  },

  async run(options, host) {
    if ('newId' in options) return renew(host, options.newId, options.place)
    const { folder, template, project, ci } = options
    const projectId = (await writtenId(host, folder)) ?? drawProjectId()
    const { files, info } = await readTemplate(host, template, ci)
    const own = await host.ownPackage()
    const tarball = await vendored(own)
    const texts = [
      ...schemaFiles('.dap/schemas'),
      ...pinFiles(project, own, tarball ?? { integrity: own.registryIntegrity }),
    ]
    const all: NewFile[] = [
      ...render(files, { project, projectId }),
      ...texts.map(({ path, text }) => ({ path, content: text })),
    ]
    if (tarball !== undefined) all.push(tarball)
    // dap.yaml is what makes a folder a repository, so it comes last: an interrupted init leaves none.
    all.sort((a, b) => Number(a.path === PROJECT_FILE) - Number(b.path === PROJECT_FILE) || (a.path < b.path ? -1 : 1))

    const placed = await placeIn(host, folder, all, options.force)
    const { name, version } = own.manifest
    const result: Initialised = {
      ...options,
      placed: placed.map(({ path, action, content }) => ({ path, action, bytes: Buffer.byteLength(content) })),
      pin: { package: name, version, tarball: tarball?.path ?? null },
      try: info.try,
    }
    if (options.dryRun) return result
    refuseCollisions(placed, folder)
    if (options.asked) {
      const context = { style: createStyle(host.terminal.color), columns: host.terminal.columns }
      await host.output.err(`${placementText(result, context)}\n\n`)
      if (!(await host.agree('Write these files?')))
        throw new DapError('nothing was written', {
          hint: 'dap init once more, with other answers; `--dry-run` only shows',
        })
    }
    for (const { path, content, action } of placed) {
      host.signal.throwIfAborted()
      if (action !== 'keep') await host.files.write(join(folder, path), content)
    }
    return result
  },

  text: (result, context) => ('before' in result ? renewedText(result) : initText(result, context)),

  json(result) {
    if ('before' in result) return { schema: NEW_ID_RESULT_SCHEMA, projectId: result.projectId, before: result.before }
    const { folder, template, project, placed, pin, dryRun } = result
    const by = (...actions: readonly Placed['action'][]) =>
      placed.filter(({ action }) => actions.includes(action)).map(({ path }) => path)
    return {
      schema: INIT_RESULT_SCHEMA,
      ...{ folder, template, project, dryRun },
      files: by('write', 'extend', 'overwrite'),
      kept: by('keep'),
      changed: by('extend', 'overwrite'),
      inTheWay: by('collide'),
      pin,
    }
  },
  exitCode: () => ExitCode.done,
})

/** Without those that are taken for one another when somebody reads them aloud. */
const ALPHABET = 'abcdefghjkmnpqrstvwxyz23456789'
const ID_LENGTH = 16

/** 78 bits; a letter first, so that YAML reads no number. */
function drawProjectId(): string {
  const letters = ALPHABET.search(/\d/)
  return Array.from({ length: ID_LENGTH }, (_, i) => ALPHABET[randomInt(i === 0 ? letters : ALPHABET.length)]).join('')
}

/** Of a repository that was made before: making it once more changes nothing. */
async function writtenId({ files }: Host, folder: string): Promise<string | undefined> {
  const path = join(folder, PROJECT_FILE)
  return (await files.exists(path)) ? projectIdOf(await files.read(path)) : undefined
}

async function renew({ files }: Host, folder: string, place: string): Promise<Renewed> {
  const path = join(folder, PROJECT_FILE)
  if (!(await files.exists(path))) {
    throw new UsageError(`there is no \`${PROJECT_FILE}\` in \`${folder}\``, { hint: '`dap init` makes a repository' })
  }
  const text = await files.read(path)
  const projectId = drawProjectId()
  const changed = withProjectId(text, projectId)
  if (changed === undefined) {
    throw new DapError(`\`${PROJECT_FILE}\` has no \`spec\` that an id could be written into`, {
      hint: `\`dap validate\` says what is wrong with it; or write \`projectId: ${projectId}\` there yourself`,
    })
  }
  await files.write(path, changed)
  return { place, projectId, before: projectIdOf(text) ?? null }
}

function renewedText({ place, projectId, before }: Renewed): string {
  const file = join(place, PROJECT_FILE)
  if (before === null) {
    return `${file}: projectId is ${projectId}\n\nWhat was deployed under this project's name before repositories had ids is kept: \`dap plan\` shows how it gets this one.`
  }
  return `${file}: projectId is ${projectId}, was ${before}\n\nWhat was deployed as ${before} is another repository's now: it stays as it is, and \`dap plan\` shows it.`
}

/** dap itself as a file of the repository, since it can be had nowhere else; undefined where a registry has this version. */
async function vendored(own: OwnPackage) {
  if (own.registryIntegrity !== undefined) return undefined
  const { filename, integrity, bytes } = await own.pack()
  return { path: `vendor/${filename}`, integrity, content: bytes }
}

async function placeIn(host: Host, folder: string, all: readonly NewFile[], force: boolean): Promise<Placed[]> {
  const standing = new Map<string, Standing>()
  const theirs = new Map<string, string>()
  for (const file of all) {
    const found = await standingOf(host, folder, file)
    standing.set(file.path, found)
    if (found === 'other' && isExtended(file.path))
      theirs.set(file.path, await host.files.read(join(folder, file.path)))
  }
  return place(all, standing, theirs, force)
}

async function standingOf({ files }: Host, folder: string, { path, content }: NewFile): Promise<Standing> {
  const parts = path.split('/')
  for (let n = 1; n < parts.length; n++) {
    const parent = join(folder, ...parts.slice(0, n))
    if ((await files.exists(parent)) && !(await files.isFolder(parent))) return 'no-folder'
  }
  const at = join(folder, path)
  if (!(await files.exists(at))) return 'nothing'
  if (await files.isFolder(at)) return 'no-folder'
  const digest = createHash('sha256').update(content).digest('hex')
  return (await files.digest(at)) === digest ? 'same' : 'other'
}

function refuseCollisions(placed: readonly Placed[], folder: string): void {
  const paths = placed.filter(({ action }) => action === 'collide').map(({ path }) => `\`${path}\``)
  if (paths.length === 0) return
  const are = paths.length === 1 ? 'is' : 'are'
  throw new DapError(`in \`${folder}\` ${are} in the way: ${paths.join(', ')}`, {
    hint: 'nothing was written; move them, name another folder, or overwrite them with --force (--dry-run shows what it would do)',
  })
}

const nameFault = (name: string): string | undefined =>
  RESOURCE_NAME.test(name) ? undefined : `\`${name}\` cannot be a project's name`

/** A folder's name, made into one that a project may have. */
function projectName(folder: string): string {
  return (
    folder
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 63)
      .replace(/^-+|-+$/g, '') || 'decisions'
  )
}

async function listTemplates(host: Host): Promise<{ name: string; info: TemplateInfo }[]> {
  const folder = join(host.packageRoot, 'templates')
  const manifests = await filesBelow(host, folder, [], path => basename(path) === TEMPLATE_FILE)
  return Promise.all(
    manifests.map(async ({ path }) => ({
      name: displayPath(folder, path).split('/')[0],
      info: templateInfo(await host.files.read(path)),
    })),
  )
}

/** A template's own files, those of every one, and those of a CI system. */
async function readTemplate(host: Host, name: string, ci: string | undefined) {
  const folders = [name, '_every', ...(ci === undefined ? [] : [`_ci/${ci}`])]
  const files = await Promise.all(folders.map(folder => filesOf(host, join(host.packageRoot, 'templates', folder))))
  const info = await host.files.read(join(host.packageRoot, 'templates', name, TEMPLATE_FILE))
  return { files: files.flat(), info: templateInfo(info) }
}

async function filesOf(host: Host, folder: string): Promise<NewFile[]> {
  const { files } = host
  const found = await filesBelow(host, folder, [], () => true)
  return Promise.all(
    found.map(async ({ path }) => ({
      path: displayPath(folder, path),
      content: await (path.endsWith('.gz') ? files.bytes(path) : files.read(path)),
    })),
  )
}

/** The kinds' schemas, each complete, as files below `folder`. */
export const schemaFiles = (folder: string): TextFile[] =>
  KINDS.map(kind => ({
    path: `${folder}/${kindWord(kind)}.schema.json`,
    text: `${JSON.stringify(schemas[kind], null, 2)}\n`,
  }))
