import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { fails, offer, repository, serve, waitFor } from '../../serve/serving.ts'
import { resource } from '../../support/repository.ts'
import { dapIn } from '../../support/run-dap.ts'

/** At once, so that no poll sees half a file. */
const { write } = nodeFiles()

const sha256 = (token: string) => createHash('sha256').update(token).digest('hex')

const tokens = (token: string, more = '') => `# who may ask
tokens:
  shop-web:
    sha256: ${sha256(token)}
    may: [decide, read]
    policies: [offer]${more}
`

const repositoryWith = (file: string) => repository({ 'policies/offer.yaml': offer(), 'tokens.yaml': file })

async function statusWith(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/v1/policies`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return response.status
}

const SCENARIO = resource(
  'Scenario',
  'week',
  'world: { type: bernoulli, means: { none: 0.1, gold: 0.6 } }\npolicies: [offer]\nhorizon: 200\nreplications: 20',
)

describe('dap serve --tokens', () => {
  it('follows its file, and keeps the tokens that it has where that breaks', async () => {
    const folder = await repositoryWith(tokens('first'))
    const { url, event, events, stop } = await serve(folder, ['--tokens', 'tokens.yaml'])
    expect([await statusWith(url, 'first'), await statusWith(url, 'second')]).toEqual([200, 401])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)

    await write(
      join(folder, 'tokens.yaml'),
      JSON.stringify({ tokens: { web: { sha256: sha256('second'), may: ['read'], policies: ['*'] } } }),
    )
    expect(await event('tokens')).toMatchObject({ tokens: 1 })
    expect([await statusWith(url, 'first'), await statusWith(url, 'second')]).toEqual([401, 200])

    await write(join(folder, 'tokens.yaml'), tokens('third', '\n    expiry: never'))
    expect(await event('tokens failed')).toMatchObject({
      reason: 'tokens.yaml:7:5: this is not a field',
      hint: 'did you mean `expires`?',
    })
    await rm(join(folder, 'tokens.yaml'))
    await waitFor(() => (events().filter(({ msg }) => msg === 'tokens failed').length === 2 ? true : undefined))
    expect([await statusWith(url, 'third'), await statusWith(url, 'second')]).toEqual([401, 200])

    const { code, stdout, stderr } = await stop()
    expect(code).toBe(0)
    for (const secret of ['first', 'second', 'third', sha256('second')]) expect(stdout + stderr).not.toContain(secret)
  })

  it.each([
    [
      tokens('a').replace(/sha256: \w+/, 'sha256: hunter2'),
      'tokens.yaml:4:13: `sha256` must be the 64 hex digits',
      'printf %s "$TOKEN" | sha256sum',
    ],
    [
      tokens('a').replace('decide', 'decides'),
      'tokens.yaml:5:11: an item of `may` must be a known word',
      'some of decide, reward, read, metrics',
    ],
    ['tokens: { a: { sha256: "hunter2 }', 'tokens.yaml:1:34: missing closing', 'docs/server.md has an example'],
    [
      'tokens: {}\n---\ntokens: {}\n',
      'tokens.yaml:1:1: the file must have one document',
      'docs/server.md has an example',
    ],
    ['hunter2', 'tokens.yaml:1:1: the file must have `tokens`', 'shop-web'],
  ])('does not start with a file like %j', async (file, message, hint) => {
    const folder = await repositoryWith(file)
    const { code, stderr } = await fails(folder, ['--port', '0', '--tokens', 'tokens.yaml'])
    expect(code).toBe(1)
    expect(stderr).toContain(`error: ${message}`)
    expect(stderr).toContain(`hint: `)
    expect(stderr).toContain(hint)
    expect(stderr).not.toContain('hunter2')
  })

  it('lets `dap play` in by $DAP_TOKEN', async () => {
    const folder = await repository({
      'policies/offer.yaml': offer(),
      'scenarios/week.yaml': SCENARIO,
      'tokens.yaml': tokens('first').replace('read', 'reward'),
    })
    const { url, stop } = await serve(folder, ['--tokens', 'tokens.yaml'])
    const play = (environment: Readonly<Record<string, string>>) =>
      dapIn({ folder, environment }, 'play', '--server', url, '--decisions', '20', '--json')
    expect(await play({})).toMatchObject({ code: 1, stderr: expect.stringContaining('$DAP_TOKEN') })
    expect(await play({ DAP_TOKEN: 'second' })).toMatchObject({
      code: 1,
      stderr: expect.not.stringContaining('second'),
    })
    const { code, stdout, stderr } = await play({ DAP_TOKEN: 'first' })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ decisions: 20 })
    expect((await stop()).stdout).toBe('20 decisions, 20 rewards\n')
  })

  it('does not start without its file', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    expect(await fails(folder, ['--port', '0', '--tokens', 'no.yaml'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no.yaml'),
    })
  })
})
