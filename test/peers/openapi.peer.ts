/** The OpenAPI document under the linters and the generator that others use, and the clients that it makes beside a real `dap serve`. */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { cached, cachedFor } from './cache.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'
import { openShop, type Shop } from './shop.ts'

const HERE = new URL('.', import.meta.url).pathname
const DOCUMENT = join(PACKAGE_ROOT, 'schemas/openapi.yaml')

/** From Maven Central, by what it must be. */
const GENERATOR = {
  artifact: 'org.openapitools:openapi-generator-cli:7.25.0',
  sha256: '41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae',
}
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy'

const MINUTES = 60_000

const made: string[] = []

async function emptyFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `dap-${name}-`))
  made.push(folder)
  return folder
}

afterAll(() => Promise.all(made.map(folder => rm(folder, { recursive: true, force: true }))))

/** The folder of the linters' commands. */
async function linters(): Promise<string> {
  const lock = await readFile(join(HERE, 'openapi/package-lock.json'), 'utf8')
  const folder = await cachedFor(lock, async cwd => {
    for (const name of ['package.json', 'package-lock.json']) await cp(join(HERE, 'openapi', name), join(cwd, name))
    await execa('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd })
  })
  return join(folder, 'node_modules/.bin')
}

/** The generator's jar. */
async function generator(): Promise<string> {
  const { artifact, sha256 } = GENERATOR
  const [, name, version] = artifact.split(':')
  const jar = `${name}-${version}.jar`
  const folder = await cached(sha256.slice(0, 16), async cwd => {
    await execa('mvn', ['-q', '-B', COPY, `-Dartifact=${artifact}`, `-DoutputDirectory=${cwd}`])
    const digest = createHash('sha256')
      .update(await readFile(join(cwd, jar)))
      .digest('hex')
    if (digest !== sha256) throw new Error(`${artifact} is not what it was: its SHA-256 is ${digest}`)
  })
  return join(folder, jar)
}

/** What it says of every document of OpenAPI 3.1, of fields that may be anything, and of those that are a text or a list: its clients know the text. */
const RESERVATIONS =
  /OpenAPI 3\.1 support is still in beta|Failed to get the schema name: null|Type array not yet supported|Please report the issue via|Validation '(min|max)Items' has no effect/

async function generate(jar: string, ...options: readonly string[]): Promise<string> {
  const folder = await emptyFolder('generated')
  const { all } = await execa('java', ['-jar', jar, 'generate', '-i', DOCUMENT, '-o', folder, ...options], {
    all: true,
  })
  expect(all.split('\n').filter(line => /WARN|ERROR/.test(line) && !RESERVATIONS.test(line))).toEqual([])
  return folder
}

/** What a linter says, and that it is content. Paths of the caches and times are no part of it. */
async function lint(command: string, words: readonly string[]): Promise<string> {
  const { exitCode, all } = await execa(command, [...words], {
    ...{ all: true, reject: false, cwd: PACKAGE_ROOT, stdin: 'ignore' },
    env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  })
  expect(exitCode, all).toBe(0)
  return all
}

describe('schemas/openapi.yaml', () => {
  it('has no error and no warning for redocly', { timeout: 3 * MINUTES }, async context => {
    const bin = await needs(context, linters)
    const config = join(HERE, 'openapi/redocly.yaml')
    const said = await lint(join(bin, 'redocly'), ['lint', '--config', config, DOCUMENT])
    expect(said).toContain('Your API description is valid.')
    expect(said).not.toMatch(/warning/i)
  })

  it('has no error and no warning for spectral', { timeout: 3 * MINUTES }, async context => {
    const bin = await needs(context, linters)
    const words = ['lint', '--ruleset', join(HERE, 'openapi/spectral.yaml'), '--fail-severity', 'hint', DOCUMENT]
    expect(await lint(join(bin, 'spectral'), words)).toContain('No results with a severity of')
  })
})

/** What the program of a language must have seen. */
function seen(language: string) {
  const problem = (status: number, name: string, ...pointers: readonly string[]) => ({
    ...{ status, same: status, pointers },
    type: `https://dap.dev/problems/${name}`,
  })
  const decision = (number: number) => ({
    decisionId: `${language}-${number}`,
    policy: 'shop-offer',
    action: expect.stringMatching(/^(none|gold-small|bundle)$/),
    servedBy: expect.stringMatching(/^(policy|holdout)$/),
    propensity: true,
  })
  return {
    decided: decision(1),
    again: true,
    conflict: problem(409, 'conflict', '/decisionId'),
    invalid: problem(400, 'invalid-request', '/context/level'),
    unknown: problem(404, 'unknown-policy', '/policy'),
    batch: [decision(2), decision(3)],
    reward: 1,
    rewards: 2,
    outOfRange: problem(400, 'invalid-request', '/rewards/0/value'),
    activated: 1,
    flag: {
      key: 'shop-offer',
      variantIsValue: true,
      reason: expect.stringMatching(/^(SPLIT|TARGETING_MATCH)$/),
      decisionId: `${language}-4`,
      servedBy: expect.stringMatching(/^(policy|holdout)$/),
      propensity: true,
    },
    shown: 1,
    flags: [
      { key: 'shop-offer', errorCode: 'INVALID_CONTEXT' },
      { key: 'shop-offer-context-free', decided: true },
    ],
    noFlag: { status: 404, key: 'nobody', errorCode: 'FLAG_NOT_FOUND' },
    policies: ['shop-offer', 'shop-offer-context-free'],
    actions: ['none', 'gold-small', 'bundle'],
    fields: expect.arrayContaining(['playerId', 'level', 'platform', 'spend30d']),
    healthy: 'ok',
    ready: true,
    metrics: true,
  }
}

describe('a client that openapi-generator makes', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await openShop()
  })
  afterAll(async () => void (await shop.end()))

  it('works in Java', { timeout: 4 * MINUTES }, async context => {
    const jar = await needs(context, generator)
    const folder = await generate(jar, '-g', 'java', '--library', 'native')
    await cp(join(HERE, 'java/pom.xml'), join(folder, 'pom.xml'))
    await cp(join(HERE, 'java/Client.java'), join(folder, 'src/main/java/Client.java'))
    await rm(join(folder, 'src/test'), { recursive: true })
    const maven = (goal: string) => execa('mvn', ['-q', '-B', goal], { cwd: folder })
    await needs(context, () => maven('dependency:copy-dependencies'))
    await maven('compile')
    const classpath = [join(folder, 'target/classes'), join(folder, 'target/lib/*')].join(delimiter)
    const { stdout } = await execa('java', ['-cp', classpath, 'Client', shop.url])
    expect(JSON.parse(stdout)).toEqual(seen('java'))
  })

  it('works in Python', { timeout: 3 * MINUTES }, async context => {
    const jar = await needs(context, generator)
    const python = await needs(context, () => pythonWith(join(HERE, 'python/generated.txt')))
    const folder = await generate(jar, '-g', 'python')
    const program = join(HERE, 'python/generated_client.py')
    const { stdout } = await execa(python, [program, shop.url], { env: { PYTHONPATH: folder } })
    expect(JSON.parse(stdout)).toEqual(seen('python'))
  })

  it('leaves a log that `dap log check` passes', async ({ skip }) => {
    const { code, check } = await shop.end()
    if (check.decisions === 0) skip('no client has run')
    expect({ code, check }).toMatchObject({ code: 0, check: { passed: true, faults: [] } })
  })
})
