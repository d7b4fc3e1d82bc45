import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { DapError, ExitCode, InterruptedError } from '../../errors.ts'
import { IMAGE_FILES, type ImageRequest, type Images } from '../../host.ts'

type Say = (text: string) => Promise<void>

const INSTALL = {
  docker: '`--builder cloud-build` builds without it, by the Google Cloud CLI',
  gcloud: 'https://cloud.google.com/sdk/docs/install, or `--builder docker`',
} as const
type Program = keyof typeof INSTALL

/** Images by docker or Cloud Build, as child processes that stop with the signal. */
export function serverImages(signal: AbortSignal): Images {
  return {
    async build(request, say) {
      const builder = request.builder ?? (await firstInstalled(signal))
      const context = await mkdtemp(join(tmpdir(), 'dap-image-'))
      const run = runner(context, say, signal)
      try {
        await stage(context, request)
        const digest = await BUILDERS[builder](request, run)
        return { builder, digest }
      } finally {
        await rm(context, { recursive: true, force: true })
      }
    },
  }
}

const BUILDERS: Readonly<
  Record<'docker' | 'cloud-build', (request: ImageRequest, run: Run) => Promise<string | null>>
> = {
  async docker({ repository, tag, push }, run) {
    const name = `${repository}:${tag}`
    // Vertex AI's machines, whatever this one is.
    await run('docker', ['build', '--platform', 'linux/amd64', '--tag', name, '.'])
    if (!push) return null
    await run('docker', ['push', name], `gcloud auth configure-docker ${repository.split('/', 1)[0]}`)
    const digests = await run('docker', ['image', 'inspect', '--format', '{{json .RepoDigests}}', name])
    const pushed = (JSON.parse(digests) as string[]).find(each => each.startsWith(`${repository}@`))
    return digestIn(pushed ?? '', name)
  },
  async 'cloud-build'({ repository, tag, project }, run) {
    const name = `${repository}:${tag}`
    const login = '`gcloud auth login`; whoever builds needs roles/cloudbuild.builds.editor'
    await run('gcloud', ['builds', 'submit', '.', '--tag', name, '--project', project], login)
    const describe = ['artifacts', 'docker', 'images', 'describe', name, '--project', project]
    return digestIn(await run('gcloud', [...describe, '--format', 'value(image_summary.digest)'], login), name)
  },
}

function digestIn(text: string, name: string): string {
  const digest = /sha256:[0-9a-f]{64}/.exec(text)?.[0]
  if (digest === undefined) throw new DapError(`nothing says the digest of \`${name}\``, { exitCode: ExitCode.remote })
  return digest
}

/** What the Dockerfile takes, and nothing else of the repository: the dap that it pins, and bundles, if there are any. */
async function stage(context: string, { folder }: ImageRequest): Promise<void> {
  for (const file of IMAGE_FILES) await copyFile(join(folder, file), join(context, file))
  for (const name of ['vendor', 'bundles']) {
    const target = join(context, name)
    if (existsSync(join(folder, name))) {
      await cp(join(folder, name), target, { recursive: true })
      continue
    }
    await mkdir(target)
    // An empty folder would not reach Cloud Build.
    await writeFile(join(target, '.keep'), '')
  }
}

/** Runs a program to its end and gives its stdout; what it prints is said line by line meanwhile. */
type Run = (program: Program, words: readonly string[], hint?: string) => Promise<string>

function runner(cwd: string, say: Say, signal: AbortSignal): Run {
  return async (program, words, hint) => {
    const quiet = words.includes('--format')
    const aloud = async function* (line: unknown) {
      await say(`${line}\n`)
      yield line
    }
    const result = await execa(program, words, {
      cwd,
      cancelSignal: signal,
      stdin: 'ignore',
      reject: false,
      ...(quiet ? {} : { stdout: aloud }),
      stderr: aloud,
    })
    if (!result.failed) return result.stdout
    if (result.isCanceled || signal.aborted) throw new InterruptedError()
    if (result.code === 'ENOENT') throw new DapError(`\`${program}\` is not installed`, { hint: INSTALL[program] })
    const what = `\`${program} ${words[0]}\``
    throw new DapError(`${what} ended with ${result.exitCode ?? result.signal ?? result.originalMessage}`, {
      hint,
      exitCode: ExitCode.remote,
    })
  }
}

async function firstInstalled(signal: AbortSignal): Promise<'docker' | 'cloud-build'> {
  for (const [program, builder] of [
    ['docker', 'docker'],
    ['gcloud', 'cloud-build'],
  ] as const) {
    const { code } = await execa(program, ['--version'], { reject: false, cancelSignal: signal })
    if (code !== 'ENOENT') return builder
  }
  throw new DapError('an image needs `docker` or `gcloud`, and neither is installed', {
    hint: 'https://docs.docker.com/get-docker or https://cloud.google.com/sdk/docs/install; the emulator needs no image',
  })
}
