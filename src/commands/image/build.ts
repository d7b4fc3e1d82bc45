import { join } from 'node:path'
import { defineCommand } from '../../command.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import { IMAGE_RESULT_SCHEMA } from '../../generated/names.ts'
import { type Host, IMAGE_FILES, type ImageRequest } from '../../host.ts'
import type { Resource } from '../../repo/resource.ts'
import type { ImageResult } from '../../results.ts'
import { imageText } from '../../ui/image.ts'
import { oneOf } from '../arguments.ts'
import { type Opened, openRepository, requireResource, requireValid } from '../opening/repository.ts'

const BUILDERS = ['docker', 'cloud-build'] as const

interface Options {
  readonly environment: string | undefined
  readonly builder: ImageRequest['builder']
  readonly push: boolean
  readonly tag: string | undefined
}

export const imageBuildCommand = defineCommand<Options, ImageResult>({
  declare: command =>
    command
      .option('--env <name>', 'the Environment that it is for; default: the only one on Vertex AI')
      .option(
        '--builder <name>',
        `${BUILDERS.join(' or ')}; default: docker, if it is installed`,
        oneOf('--builder', BUILDERS),
      )
      .option('--push', 'push it to the registry of `spec.gcp.image`; Cloud Build always does')
      .option('--tag <tag>', "default: the commit's first 12 digits, or dap's version where there is none")
      .addHelpText(
        'after',
        "\nBuilds the repository's Dockerfile with the dap that its package.json and package-lock.json pin, and `bundles/`, and prints the name to\npin in the Environment's `spec.gcp.image`. The emulator needs no image.\n\nexit codes: 0 built, 1 nothing to build it with, 3 usage, 5 the build or the push failed",
      ),

  options(_, flags) {
    const builder = flags['builder'] as Options['builder']
    const tag = flags['tag'] as string | undefined
    if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag))
      throw new UsageError(`--tag takes letters, digits, \`_\`, \`.\` and \`-\`, got \`${tag}\``)
    return {
      environment: flags['env'] as string | undefined,
      builder,
      push: flags['push'] === true,
      tag,
    }
  },

  async run(options, host) {
    const opened = await openRepository(host)
    const { name, file, spec } = environmentOf(opened, options.environment)
    requireValid(opened, [file])
    if (spec.gcp === undefined)
      throw new UsageError(`the environment \`${name}\` is the emulator, which needs no image: it runs this dap`, {
        hint: '--env names an Environment whose target is `vertex`',
      })
    for (const file of IMAGE_FILES)
      if (!(await host.files.exists(join(opened.root, file))))
        throw new DapError(`no \`${file}\` beside \`dap.yaml\``, {
          hint: '`dap init` writes one into a new repository',
        })
    const repository = repositoryOf(spec.gcp.image)
    const tag = options.tag ?? (await defaultTag(host, opened.root))
    const images = await host.images()
    const { builder, digest } = await images.build(
      {
        builder: options.builder,
        folder: opened.root,
        repository,
        tag,
        push: options.push,
        project: spec.gcp.project,
      },
      host.output.err,
    )
    return {
      schema: IMAGE_RESULT_SCHEMA,
      environment: name,
      builder,
      tag: `${repository}:${tag}`,
      image: digest === null ? null : `${repository}@${digest}`,
      file,
    }
  },

  text: imageText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** The one of that name; without a name the only one on Vertex AI. */
function environmentOf(opened: Opened, name: string | undefined): Resource<'Environment'> {
  if (name !== undefined) return requireResource(opened, 'Environment', name)
  const all = opened.repository.all('Environment').filter(({ spec }) => spec.target === 'vertex')
  if (all.length === 1) return all[0]
  throw new UsageError(
    all.length === 0 ? 'no environment needs an image: none is on Vertex AI' : 'which environment?',
    {
      hint:
        all.length === 0
          ? 'the emulator runs this dap'
          : `--env, one of ${all.map(each => `\`${each.name}\``).join(', ')}`,
    },
  )
}

/** An image's name without tag and digest. */
function repositoryOf(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
}

async function defaultTag(host: Host, root: string): Promise<string> {
  return (await host.commit(root))?.id.slice(0, 12) ?? host.version
}
