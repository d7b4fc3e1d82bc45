import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import type { Diagnostic } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import type { Host } from '../host.ts'
import { loadRepository, type SourceFile } from '../repo/repository.ts'
import { diagnosticsSummary, diagnosticText } from '../ui/diagnostics.ts'
import { displayPath, findRoot, openRepository, readSources, yamlFiles } from './repository.ts'

interface Options {
  /** Absolute; empty means the whole repository. */
  readonly paths: readonly string[]
}

interface Validated {
  /** How many files were asked for. */
  readonly files: number
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
      const files = (await Promise.all(paths.map(path => expand(host, path)))).flat()
      const sources = await readSources(host, host.cwd, [...new Set(files)])
      return summarise(sources, (await loadRepository(sources)).diagnostics)
    }
    const { root: folder, sources, repository } = await openRepository(host, root)
    if (paths.length === 0) return summarise(sources, repository.diagnostics)

    const prefixes = await Promise.all(paths.map(async path => displayPath(folder, await host.files.real(path))))
    const wanted = (file: string) =>
      prefixes.some(prefix => prefix === '' || file === prefix || file.startsWith(`${prefix}/`))
    const selected = sources.filter(source => wanted(source.path))
    if (selected.length === 0) {
      throw new UsageError('none of the paths holds a YAML file of the repository', {
        hint: 'resources live in the folders that `spec.folders` of dap.yaml lists',
      })
    }
    return summarise(
      selected,
      repository.diagnostics.filter(d => wanted(d.file)),
    )
  },

  text({ files, diagnostics, lines }, { style }) {
    const blocks = diagnostics.map(diagnostic => `${diagnosticText(diagnostic, lines.get(diagnostic.file), style)}\n`)
    return [...blocks, diagnosticsSummary(files, diagnostics, style)].join('\n')
  },

  json: ({ files, diagnostics }) => ({
    schema: 'dap.validation/v1',
    files,
    errors: diagnostics.filter(d => d.severity === 'error').length,
    warnings: diagnostics.filter(d => d.severity === 'warning').length,
    diagnostics,
  }),

  exitCode: ({ diagnostics }) => (diagnostics.some(d => d.severity === 'error') ? ExitCode.no : ExitCode.done),
})

async function expand(host: Host, path: string): Promise<string[]> {
  return (await host.files.isFolder(path)) ? yamlFiles(host, path) : [path]
}

function summarise(sources: readonly SourceFile[], diagnostics: readonly Diagnostic[]): Validated {
  const faulty = new Set(diagnostics.map(d => d.file))
  const lines = new Map(
    sources.flatMap(({ path, text }) =>
      faulty.has(path) && text !== undefined ? [[path, text.split(/\r?\n/)] as const] : [],
    ),
  )
  return { files: sources.length, diagnostics, lines }
}
