import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { SCHEMAS_RESULT_SCHEMA } from '../generated/names.ts'
import { schemas } from '../generated/schemas.js'
import { meansKind } from '../kind-word.ts'
import { KINDS, type Kind } from '../kinds.ts'
import { schemaFiles } from './init.ts'

type Options = { readonly kind: Kind } | { readonly folder: string }

type Result = { readonly schema: { readonly $schema: string } } | { readonly written: readonly string[] }

export const schemaCommand = defineCommand<Options, Result>({
  declare: command =>
    command
      .argument('[kind]', `one of ${KINDS.join(', ')}; upper or lower case`)
      .option('--out <dir>', 'write the schemas of all kinds into a folder, for editors'),

  options([kind], flags, host) {
    const out = flags['out'] as string | undefined
    if (out !== undefined) return { folder: resolve(host.cwd, out) }
    if (kind === undefined) throw new UsageError('which kind?', { hint: `one of ${KINDS.join(', ')}` })
    return { kind: parseKind(kind) }
  },

  async run(options, host) {
    if ('kind' in options) return { schema: schemas[options.kind] }
    const files = schemaFiles(options.folder)
    for (const { path, text } of files) await host.files.write(path, text)
    return { written: files.map(({ path }) => path) }
  },

  text: result => ('schema' in result ? JSON.stringify(result.schema, null, 2) : result.written.join('\n')),
  verbatim: () => true,
  json: result => ('schema' in result ? result.schema : { schema: SCHEMAS_RESULT_SCHEMA, ...result }),
  exitCode: () => ExitCode.done,
})

/** @param typed What a message repeats. */
export function parseKind(word: string, typed = word): Kind {
  const kind = KINDS.find(each => meansKind(word, each))
  if (kind === undefined) {
    throw new UsageError(`unknown kind \`${typed}\``, { hint: didYouMean(word, KINDS) ?? `one of ${KINDS.join(', ')}` })
  }
  return kind
}
