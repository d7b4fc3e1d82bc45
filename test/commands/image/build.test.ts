import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { serverImages } from '../../../src/adapters/node/images.ts'
import { imageBuildCommand } from '../../../src/commands/image/build.ts'
import type { Host } from '../../../src/host.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { put } from '../../support/disk.ts'

const DIGEST = `sha256:${'4f'.repeat(32)}`
const REGISTRY = 'europe-west1-docker.pkg.dev/games-prod/dap/server'

const REPOSITORY: Readonly<Record<string, string>> = {
  'dap.yaml': 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n',
  Dockerfile: 'FROM scratch\nCOPY package.json package-lock.json /\nCOPY vendor /vendor\nCOPY bundles /bundle\n',
  'package.json': '{}',
  'package-lock.json': '{}',
  'vendor/dap-platform-dap-0.1.0.tgz': 'x',
  'bundles/shop-offer-0123/bundle.json': '{}',
  'environments/local.yaml':
    'apiVersion: dap/v1\nkind: Environment\nmetadata: { name: local }\nspec: { target: emulator }\n',
  'environments/prod.yaml': `apiVersion: dap/v1
kind: Environment
metadata: { name: prod }
spec:
  target: vertex
  gcp:
    project: games-prod
    region: europe-west1
    bucket: games-dap
    image: ${REGISTRY}@sha256:${'0'.repeat(64)}
`,
}

/** Programs that note their words and what is in their working folder, and answer as the real ones do. */
const PROGRAMS = {
  docker: `case "$1 $2" in
  "image inspect") echo '["elsewhere/server@${DIGEST.replace('4f', '00')}", "${REGISTRY}@${DIGEST}"]' ;;
  "build --platform") echo "step 1/3" >&2; [ "$DOCKER_BUILD" = hang ] && exec /bin/sleep 60; exit $DOCKER_BUILD ;;
  *) echo pushed ;;
esac`,
  gcloud: `case "$1" in builds) echo "BUILD DONE" ;; *) echo '${DIGEST}' ;; esac`,
}

let interrupt: AbortController
let folder: string
let programs: string
let calls: () => Promise<string[]>

beforeEach(async () => {
  interrupt = new AbortController()
  const base = await mkdtemp(join(tmpdir(), 'dap-image-test-'))
  folder = join(base, 'repository')
  programs = join(base, 'bin')
  for (const [path, text] of Object.entries(REPOSITORY)) await put(folder, path, text)
  await mkdir(programs)
  const log = join(base, 'calls')
  await writeFile(log, '')
  calls = async () => (await readFile(log, 'utf8')).split('\n').filter(Boolean)
  vi.stubEnv('CALLS', log)
  vi.stubEnv('DOCKER_BUILD', '0')
  // Only sh's own folder beside the fakes: whatever this machine has installed is out of sight.
  vi.stubEnv('PATH', [programs, join(base, 'sh')].join(delimiter))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(dirname(folder), { recursive: true, force: true })
})

async function install(...names: readonly (keyof typeof PROGRAMS)[]): Promise<void> {
  for (const name of names) {
    const path = join(programs, name)
    const note = `[ "$1" = --version ] || printf '%s\\n' "${name} $*" >> "$CALLS"\n[ "$1" = --version ] && exit 0`
    const listing = `case "$*" in build*) for each in * bundles/* vendor/*; do printf 'has %s\\n' "$each" >> "$CALLS"; done ;; esac`
    await writeFile(path, `#!/bin/sh\n${note}\n${listing}\n${PROGRAMS[name]}\n`)
    await chmod(path, 0o755)
  }
}

async function imageBuild(...words: readonly string[]) {
  let said = ''
  const host = {
    cwd: folder,
    version: '0.1.0',
    files: nodeFiles(),
    environment: () => undefined,
    commit: async () => ({ id: '0123456789abcdef0123456789abcdef01234567', dirty: false }),
    images: async () => serverImages(interrupt.signal),
    output: {
      out: () => Promise.reject(new Error('stdout is for the result')),
      err: async (text: string) => {
        said += text
        if (process.env['DOCKER_BUILD'] === 'hang') interrupt.abort()
      },
    },
  } as unknown as Host
  const command = new Command('build').exitOverride()
  imageBuildCommand.declare(command)
  command.parse(words, { from: 'user' })
  const options = await imageBuildCommand.options(command.args, command.opts(), host)
  const result = await imageBuildCommand.run(options, host, () => {})
  const text = imageBuildCommand.text(result, { style: createStyle(false), columns: 100 })
  return { text, said, json: imageBuildCommand.json(result) }
}

describe('dap image build', () => {
  it('builds with docker what the Dockerfile takes, and says that only a push gives it a digest', async () => {
    await install('docker', 'gcloud')
    const { text, said, json } = await imageBuild()
    expect(text).toBe(`${REGISTRY}:0123456789ab\nnot pushed: \`--push\` gives it the digest to pin`)
    expect(said).toBe('step 1/3\n')
    expect(json).toEqual({
      schema: 'dap.image/v1',
      environment: 'prod',
      builder: 'docker',
      tag: `${REGISTRY}:0123456789ab`,
      image: null,
      file: 'environments/prod.yaml',
    })
    expect(await calls()).toEqual([
      `docker build --platform linux/amd64 --tag ${REGISTRY}:0123456789ab .`,
      'has Dockerfile',
      'has bundles',
      'has package-lock.json',
      'has package.json',
      'has vendor',
      'has bundles/shop-offer-0123',
      'has vendor/dap-platform-dap-0.1.0.tgz',
    ])
  })

  it('pushes, and prints the name with the digest that the registry of this environment has', async () => {
    await install('docker')
    const { text } = await imageBuild('--push', '--tag', 'v7')
    expect(text).toBe(`${REGISTRY}@${DIGEST}\npin it as spec.gcp.image in environments/prod.yaml`)
    expect((await calls()).filter(call => call.startsWith('docker'))).toEqual([
      `docker build --platform linux/amd64 --tag ${REGISTRY}:v7 .`,
      `docker push ${REGISTRY}:v7`,
      `docker image inspect --format {{json .RepoDigests}} ${REGISTRY}:v7`,
    ])
  })

  it('takes Cloud Build where there is no docker', async () => {
    await install('gcloud')
    const { text, said } = await imageBuild('--env', 'prod')
    expect(text).toMatch(new RegExp(`^${REGISTRY}@${DIGEST}\n`))
    expect(said).toBe('BUILD DONE\n')
    expect((await calls()).filter(call => call.startsWith('gcloud'))).toEqual([
      `gcloud builds submit . --tag ${REGISTRY}:0123456789ab --project games-prod`,
      `gcloud artifacts docker images describe ${REGISTRY}:0123456789ab --project games-prod --format value(image_summary.digest)`,
    ])
  })

  it('builds without bundles and tarballs, too: they come from the bucket on Vertex AI, and from a registry', async () => {
    await install('docker')
    for (const name of ['bundles', 'vendor']) await rm(join(folder, name), { recursive: true })
    await imageBuild()
    expect(await calls()).toEqual(expect.arrayContaining(['has bundles', 'has vendor']))
  })

  it('says what is missing', async () => {
    await expect(imageBuild()).rejects.toMatchObject({
      message: 'an image needs `docker` or `gcloud`, and neither is installed',
      exitCode: 1,
    })
    await install('docker')
    await expect(imageBuild('--builder', 'cloud-build')).rejects.toMatchObject({
      message: '`gcloud` is not installed',
      hint: 'https://cloud.google.com/sdk/docs/install, or `--builder docker`',
    })
    for (const file of ['package-lock.json', 'package.json', 'Dockerfile']) {
      await rm(join(folder, file))
      await expect(imageBuild()).rejects.toMatchObject({ message: `no \`${file}\` beside \`dap.yaml\`` })
    }
  })

  it('says that a build failed, after what the builder said', async () => {
    await install('docker')
    vi.stubEnv('DOCKER_BUILD', '17')
    await expect(imageBuild()).rejects.toMatchObject({ message: '`docker build` ended with 17', exitCode: 5 })
  })

  it('stops its programs when it is interrupted', async () => {
    await install('docker')
    vi.stubEnv('DOCKER_BUILD', 'hang')
    await expect(imageBuild()).rejects.toMatchObject({ name: 'InterruptedError', exitCode: 130 })
  })

  it('builds nothing for the emulator', async () => {
    await install('docker')
    await expect(imageBuild('--env', 'local')).rejects.toMatchObject({
      message: 'the environment `local` is the emulator, which needs no image: it runs this dap',
      exitCode: 3,
    })
    expect(await calls()).toEqual([])
  })

  it('refuses a builder and a tag that are none', async () => {
    await expect(imageBuild('--builder', 'podman')).rejects.toMatchObject({ exitCode: 3 })
    await expect(imageBuild('--tag', 'a b')).rejects.toMatchObject({ exitCode: 3 })
  })
})
