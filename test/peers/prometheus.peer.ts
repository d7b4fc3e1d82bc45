/** promtool on what a server exports, and on the rules, their tests and the dashboard that `dap new ops` writes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { alerts, alertTests, dashboardQueries } from '../support/ops.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { promtool } from './promtool.ts'

const DAP = join(PACKAGE_ROOT, 'bin/dap.js')

describe('promtool', () => {
  let tool = ''
  let absent = ''
  let folder = ''
  let ops = ''

  beforeAll(async () => {
    tool = await promtool().catch((error: Error) => {
      // Without it nothing can be shown, which is no excuse where everything has to be.
      if (process.env['CI']) throw error
      absent = error.message.split('\n')[0]
      return ''
    })
    folder = await mkdtemp(join(tmpdir(), 'dap-promtool-'))
    await execa(process.execPath, [DAP, 'init', 'shop', '--template', 'bandit'], { cwd: folder })
    await execa(process.execPath, [DAP, 'new', 'ops'], { cwd: join(folder, 'shop') })
    ops = join(folder, 'shop', 'ops')
  }, 300_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Runs it to a good end, in the folder of what was written. */
  async function check(words: readonly string[], { skip }: TestContext, input?: string): Promise<string> {
    if (absent !== '') skip(`not tried, since promtool cannot be had here: ${absent}`)
    const ran = await execa(tool, words, {
      cwd: ops,
      reject: false,
      all: true,
      ...(input === undefined ? {} : { input }),
    })
    expect(ran.exitCode, ran.all).toBe(0)
    return ran.all
  }

  it('takes the alerts', async context => {
    expect(await check(['check', 'rules', 'alerts.yaml'], context)).toContain(`${alerts().length} rules found`)
  })

  it('sees each alert fire beyond its threshold and after its time, and not before', async context => {
    expect(alertTests()).toHaveLength(alerts().length)
    expect(await check(['test', 'rules', 'alerts.test.yaml'], context)).toContain('SUCCESS')
  })

  it('understands every query of the dashboard', async context => {
    const rules = dashboardQueries().map((expr, n) => ({ record: `dashboard:query:${n}`, expr }))
    await writeFile(join(ops, 'queries.json'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    expect(await check(['check', 'rules', 'queries.json'], context)).toContain(`${rules.length} rules found`)
  })

  it.for(['--learn', '--workers 2'])('finds no fault with the metrics of dap serve %s', async (words, context) => {
    const text = await metricsOf(join(folder, 'shop'), words.split(' '))
    expect(text).toContain('dap_decisions_total{')
    expect(await check(['check', 'metrics'], context, text)).toBe('')
  })
})

/** What a server exports that has decided and been refused. */
async function metricsOf(shop: string, words: readonly string[]): Promise<string> {
  const all = ['--port', '0', ...words, '--keep', '30d', '--control', 'control.json']
  const server = execa(process.execPath, [DAP, 'serve', ...all], { cwd: shop, reject: false })
  onTestFinished(async () => {
    server.kill('SIGTERM')
    await server
  })
  const url = await new Promise<string>((found, fail) => {
    let said = ''
    server.stderr.on('data', data => {
      said += data
      const url = /"url":"([^"]+)"/.exec(said)?.[1]
      if (url !== undefined) found(url)
    })
    server.then(({ stderr }) => fail(new Error(`the server did not start: ${stderr}`)), fail)
  })
  const post = (path: string, body: object) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await post('/v1/decide', { policy: 'shop-offer', context: { playerId: 'p1' } })
  await post('/v1/decide', { policy: 'nobody' })
  await post('/v1/rewards', { decisionId: 'nobody', value: 1 })
  return (await fetch(`${url}/metrics`)).text()
}
