import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import type { Diagnostic } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { VALIDATION_RESULT_SCHEMA } from '../generated/names.ts'
import type { FoundFile, Host } from '../host.ts'
import { linesOf } from '../invalid-files.ts'
import { isInside } from '../paths.ts'
import { loadRepository } from '../repo/repository.ts'
import type { SourceFile } from '../repo/source.ts'
import { diagnosticsSummary, diagnosticText } from '../ui/diagnostics.ts'
import { fileCases } from '../ui/formats/report.ts'
import { createStyle } from '../ui/style.ts'
import { filesBelow, filesOnce } from './opening/found-files.ts'
import type { NamedFile } from './opening/named-files.ts'
import {
  createReaders,
  displayPath,
  findRoot,
  isYaml,
  type Opened,
  openRepository,
  readSource,
  type Source,
} from './opening/repository.ts'
import { readRules } from './opening/rules.ts'
import { missingFileDiagnostics } from './validate/missing-files.ts'
import { outOfDateDiagnostics } from './validate/out-of-date.ts'
import { parityDiagnostics } from './validate/parity.ts'
import { passedOverDiagnostics } from './validate/passed-over.ts'

interface Options {
  /** Absolute; empty means the whole repository. */
  readonly paths: readonly string[]
}

interface Validated {
  /** The absolute folder that files are relative to. */
  readonly folder: string
  /** What was asked for, and is of dap. */
  readonly files: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
  /** The lines of the files with diagnostics, for their code frames. */
  readonly lines: ReadonlyMap<string, readonly string[]>
}

export const validateCommand = defineCommand<Options, Validated>({
  declare: command =>
    command
      .argument('[paths...]', 'files and folders to report on; default: the whole repository')
      .addHelpText(
        'after',
        '\nThe whole repository is loaded, since references need it; paths only limit what is reported.\nOutside a repository the given files are checked as if they were one.\n\nexit codes: 0 valid (warnings allowed), 1 errors, 3 usage',
      ),

  options: (args, _flags, host) => ({ paths: args.map(path => resolve(host.cwd, path)) }),

  async run({ paths }, host) {
    const missing = []
    for (const path of paths) if (!(await host.files.exists(path))) missing.push(path)
    if (missing.length > 0)
      throw new UsageError(`no such file or folder: ${missing.map(path => `\`${path}\``).join(', ')}`)

    const root = await findRoot(host)
    if (root === undefined && paths.length > 0) {
      const sources = await sourcesAt(host, paths)
      const data: NamedFile[] = []
      const place = { root: host.cwd, roots: [host.cwd], repository: { project: { dataRoots: [] } } }
      const { diagnostics } = await loadRepository(
        sources,
        createReaders(host, place, file => data.push(file)),
      )
      return summarise(host.cwd, [...sources, ...data], diagnostics)
    }
    const opened = await openRepository(host, root)
    const rules = await readRules(host, opened)
    const sources = [...opened.sources, ...opened.data, ...rules.sources]
    const own = inOrder(sources, [
      ...opened.repository.diagnostics,
      ...rules.diagnostics,
      ...(await missingFileDiagnostics(host, opened)),
      ...(await outOfDateDiagnostics(opened, host.now())),
      ...(await parityDiagnostics(host, opened)),
    ])
    const all = [...own, ...(await passedOverDiagnostics(host, opened))]
    if (paths.length === 0) return summarise(opened.root, sources, all)

    const given: Given[] = []
    for (const path of paths) given.push(await givenAt(host, opened, path))
    const empty = given.filter(({ holds }) => !sources.some(holds))
    if (empty.length > 0) {
      const names = empty.map(({ path }) => `\`${displayPath(host.cwd, path) || '.'}\``).join(', ')
      throw new UsageError(`nothing was checked in ${names}`, {
        hint: `resources are in files called .yaml or .yml, in the folders that \`spec.folders\` of dap.yaml lists: ${opened.repository.project.folders.join(', ')}`,
      })
    }
    const selected = sources.filter(source => given.some(({ holds }) => holds(source)))
    const names = new Set(selected.map(({ path }) => path))
    return summarise(
      opened.root,
      selected,
      all.filter(({ file }) => names.has(file) || given.some(({ real }) => isInside(real, resolve(opened.root, file)))),
    )
  },

  text({ files, diagnostics, lines }, { style, columns }) {
    const blocks = diagnostics.map(
      diagnostic => `${diagnosticText(diagnostic, lines.get(diagnostic.file), style, columns)}\n`,
    )
    return [...blocks, diagnosticsSummary(files.length, diagnostics, style)].join('\n')
  },

  json: ({ files, diagnostics }) => ({
    schema: VALIDATION_RESULT_SCHEMA,
    files: files.length,
    errors: diagnostics.filter(d => d.severity === 'error').length,
    warnings: diagnostics.filter(d => d.severity === 'warning').length,
    diagnostics,
  }),

  exitCode: ({ diagnostics }) => (diagnostics.some(d => d.severity === 'error') ? ExitCode.no : ExitCode.done),

  report: ({ folder, files, diagnostics }) => ({
    summary: diagnosticsSummary(files.length, diagnostics, createStyle(false)),
    folder,
    cases: fileCases('validate', files, diagnostics),
  }),
})

/** A file of resources, of rules or of a set. */
type ReadFile = Pick<Source, 'path' | 'text' | 'real'>

/** A path that was given. */
interface Given {
  readonly path: string
  /** With links resolved, where they can be. */
  readonly real: string
  /** Is a source what was given, or in it? Whatever path it was found at. */
  holds(source: ReadFile): boolean
}

async function givenAt(host: Host, { roots }: Opened, path: string): Promise<Given> {
  const followed = await host.files.follow(path, roots)
  const { real } = followed
  if ('why' in followed || !followed.folder) return { path, real, holds: source => source.real === real }
  const { files, unread } = await host.files.walk(path, roots)
  const found = new Set([...files, ...unread].map(each => each.real))
  return { path, real, holds: source => found.has(source.real) || isInside(real, source.real) }
}

/** By file, line and column. */
function inOrder(sources: readonly Pick<ReadFile, 'path'>[], diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const order = new Map(sources.map(({ path }, i) => [path, i]))
  const place = ({ file }: Diagnostic) => order.get(file) ?? sources.length
  return diagnostics.toSorted((a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column)
}

/** What is at some paths outside a repository; a UsageError for a folder without a YAML file. */
async function sourcesAt(host: Host, paths: readonly string[]): Promise<SourceFile[]> {
  const found: FoundFile[] = []
  for (const path of paths) {
    const files = (await host.files.isFolder(path))
      ? await filesBelow(host, path, paths, isYaml)
      : [{ path, real: await host.files.real(path) }]
    if (files.length === 0) throw new UsageError(`there is no YAML file in \`${displayPath(host.cwd, path) || '.'}\``)
    found.push(...files)
  }
  return Promise.all(filesOnce(found).map(file => readSource(host, host.cwd, file)))
}

function summarise(
  folder: string,
  sources: readonly Pick<ReadFile, 'path' | 'text'>[],
  diagnostics: readonly Diagnostic[],
): Validated {
  const faulty = new Set(diagnostics.map(d => d.file))
  const lines = linesOf(sources.filter(({ path }) => faulty.has(path)))
  return { folder, files: sources.map(({ path }) => path), diagnostics, lines }
}
