import { Command, type Option } from 'commander'
import { describe, expect, it } from 'vitest'
import { declareServe, serveOptions } from '../../../src/commands/serve/options.ts'
import { misspeltVariables, variableOf, withVariables } from '../../../src/commands/serve/variables.ts'
import type { Host } from '../../../src/host.ts'
import { fails, get, logged, offer, post, repository, serve } from '../../serve/serving.ts'

function declared(): readonly Option[] {
  const command = new Command()
  declareServe(command)
  return command.options
}

/** What commander makes of these words, or undefined where an option does not take its value. */
function parsed(words: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  declareServe(command)
  try {
    return command.parse(words, { from: 'user' }).opts()
  } catch {
    return undefined
  }
}

const asHost = (environment: Readonly<Record<string, string>>) =>
  ({
    environment: (name: string) => environment[name],
    terminal: { interactive: false, color: false, columns: 100 },
  }) as Host

const merged = (environment: Readonly<Record<string, string>>, flags = {}) =>
  withVariables(declareServe, flags, asHost(environment), all => all)

/** Of which every option takes at least one. */
const VALUES = ['17', 'https://shop.example', 'a=b', '1s']

describe('every option of dap serve', () => {
  it.each(declared().map(option => [option.long as string, variableOf(option), option] as const))(
    '%s is %s, too',
    async (long, variable, option) => {
      const name = option.attributeName()
      // What a flag and a variable of both kinds need.
      expect({
        default: option.defaultValue,
        negate: option.negate,
        variadic: option.variadic,
        optional: option.optional,
      }).toEqual({
        default: undefined,
        negate: false,
        variadic: false,
        optional: false,
      })
      if (option.isBoolean()) {
        for (const text of ['1', 'true', 'TRUE']) expect(await merged({ [variable]: text })).toEqual({ [name]: true })
        for (const text of ['0', 'false', '']) expect((await merged({ [variable]: text }))[name]).toBeUndefined()
        await expect(merged({ [variable]: 'maybe' })).rejects.toMatchObject({
          message: `$${variable} takes 1 or 0, true or false, got \`maybe\``,
          exitCode: 3,
        })
        expect(await merged({ [variable]: '0' }, { [name]: true })).toEqual({ [name]: true })
        return
      }
      const value = VALUES.find(text => parsed([long, text]) !== undefined) as string
      const given = parsed([long, value]) as Record<string, unknown>
      expect(await merged({ [variable]: value })).toEqual(given)
      expect(await merged({ [variable]: '' })).toEqual({})
      expect(await merged({ [variable]: 'tcp://10.0.0.1:80' })).toEqual({})
      expect(await merged({ [variable]: value }, { [name]: 'of the flag' })).toEqual({ [name]: 'of the flag' })
      if (Array.isArray(given[name])) {
        expect((await merged({ [variable]: `${value}, ${value},` }))[name]).toEqual([...given[name], ...given[name]])
      }
    },
  )

  it.each(declared().map(option => [variableOf(option), option] as const))(
    'says that a wrong value is of %s',
    async (variable, option) => {
      const long = option.long as string
      const asked = (environment: object, flags = {}) =>
        withVariables(declareServe, flags, asHost({ ...environment }), all => serveOptions(all, asHost({})))
      const wrong = ['\u0000', '-1', 'no such thing', 'https://shop.example/']
      for (const text of wrong) {
        const error = await asked({ [variable]: text }).catch(each => each)
        if (!(error instanceof Error)) continue
        expect(error.message).toContain(`$${variable}`)
        expect(error.message).not.toContain(long)
        return
      }
      // Whatever is not understood must be a value that means itself: a path, an address.
      expect(['--bundle', '--host', '--log', '--control', '--tokens', '--ack']).toContain(long)
    },
  )
})

describe('the environment of dap serve', () => {
  it('comes after the flags, and before what Vertex AI sets', async () => {
    const portOf = async (flags: object, environment: Readonly<Record<string, string>>) => {
      const host = asHost(environment)
      return (await withVariables(declareServe, { ...flags }, host, all => serveOptions(all, host))).port
    }
    const environment = { DAP_PORT: '2', AIP_HTTP_PORT: '3' }
    expect(await portOf({ port: 1 }, environment)).toBe(1)
    expect(await portOf({}, environment)).toBe(2)
    expect(await portOf({}, { ...environment, DAP_PORT: '' })).toBe(3)
    expect(await portOf({}, {})).toBe(8080)
  })

  it('is what the server goes by', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer(), 'policies/other.yaml': offer('other') })
    const server = await serve(folder, ['--flush-ms', '1'], {
      DAP_LOG: 'records',
      DAP_FLUSH_MS: '1000000',
      DAP_MAX_BATCH: '1',
      DAP_CORS_ORIGIN: 'https://a.example,https://b.example',
      DAP_LERN: '1',
      DAP_MEMORY: '1GB',
    })
    const decided = await post(`${server.url}/v1/decide`, { policy: 'offer', context: { player: 'p' } })
    expect(decided.status).toBe(200)
    expect((await post(`${server.url}/v1/decide:batch`, { requests: [{}, {}] })).status).toBe(413)
    const page = await fetch(`${server.url}/healthz`, { headers: { origin: 'https://b.example' } })
    expect(page.headers.get('access-control-allow-origin')).toBe('https://b.example')
    expect((await get(`${server.url}/healthz`)).status).toBe(200)
    expect(await server.event('unknown variable')).toMatchObject({
      variable: 'DAP_LERN',
      hint: 'did you mean `DAP_LEARN`?',
    })
    expect(server.events().filter(({ msg }) => msg === 'unknown variable')).toHaveLength(1)
    await server.stop()
    expect(await logged(`${folder}/records`)).toMatchObject([{ decisionId: decided.json.decisionId }])
  })

  it.each([
    [{ DAP_FSYNC: 'sometimes' }, [], '$DAP_FSYNC takes never, interval or always, got `sometimes`'],
    [{ DAP_WORKERS: '2' }, ['--learn'], '--learn needs a single process'],
    [{ DAP_TLS_KEY: 'a.key' }, [], '$DAP_TLS_KEY needs --tls-cert'],
    [{ DAP_PUBLISH: '10m' }, [], '$DAP_PUBLISH needs --learn'],
    [{ DAP_PORT: '65536' }, [], '$DAP_PORT takes a number up to 65535'],
    [{ DAP_SNAPSHOT: 'a=b,c' }, [], '$DAP_SNAPSHOT takes POLICY=FILE, got `c`'],
    [{ DAP_TOKENS: 'a.yaml', AIP_HTTP_PORT: '1' }, [], '$DAP_TOKENS would shut Vertex AI out'],
    [{ AIP_HTTP_PORT: '1' }, ['--tls-cert', 'a', '--tls-key', 'b'], '--tls-cert would shut Vertex AI out'],
    [{ AIP_HTTP_PORT: 'http' }, [], '$AIP_HTTP_PORT is no port: `http`'],
  ])('with a fault is told of it: %j %j', async (environment, words, message) => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { code, stderr } = await fails(folder, words, environment)
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(`error: ${message}`) })
  })

  it('is told of what is nearly one of its variables, and of no other', async () => {
    const names = [
      'DAP_FLUSHMS',
      'DAP_MEMORY',
      'DAP_SPILL',
      'DAP_DATA_ROOTS',
      'DAP_VERTEX_ENDPOINT',
      'DAP_SERVICE_HOST',
    ]
    const more = ['DAP_PORT_8080_TCP_PORT', 'DAP_PORT', 'DAP_SOMETHING_ELSE', 'FLUSH_MS', 'DAP_FOO']
    expect(await misspeltVariables(declareServe, [...names, ...more])).toEqual([
      { variable: 'DAP_FLUSHMS', hint: 'did you mean `DAP_FLUSH_MS`?' },
    ])
  })
})
