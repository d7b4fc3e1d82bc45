import { describe, expect, it } from 'vitest'
import { ctr, get, offer, post, ranker, serve, repository as served } from '../serve/serving.ts'
import { familiesOf } from '../serve/support/exposition.ts'
import { alerts, alertTests, dashboard, dashboardQueries } from '../support/ops.ts'
import { dap, repository } from '../support/run-dap.ts'
import { read } from './support.ts'

const PROJECT = { 'dap.yaml': 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n' }
const FILES = ['README.md', 'alerts.test.yaml', 'alerts.yaml', 'dashboard.json']

/** The variable that Grafana puts the chosen data source into. */
const CHOSEN = ['$', '{datasource}'].join('')

describe('dap new ops', () => {
  it('writes a dashboard, alerts and their tests into the repository, where nobody takes them for resources', async () => {
    const shop = repository(PROJECT)
    expect(read(await shop.dap('new ops'))).toMatchInlineSnapshot(`
      "exit 0
      ops/README.md
      ops/alerts.test.yaml
      ops/alerts.yaml
      ops/dashboard.json
      next: give them to Grafana and Prometheus; README.md there says how, promtool test rules checks edits
      "
    `)
    expect(await shop.dap('validate')).toMatchObject({ code: 0, stdout: '1 file checked: all valid\n' })
    expect(JSON.parse(shop.read('ops/dashboard.json'))).toEqual(dashboard())
    expect(JSON.parse((await shop.dap('new ops --json')).stdout)).toEqual({
      schema: 'dap.new-ops/v1',
      files: FILES.map(name => `ops/${name}`),
    })
  })

  it('leaves what somebody has edited, and writes nothing then', async () => {
    const shop = repository({ ...PROJECT, 'ops/alerts.yaml': 'groups: []' })
    expect(read(await shop.dap('new ops'))).toMatchInlineSnapshot(`
      "exit 1
      --- stderr
      error: \`ops/alerts.yaml\` is there already, and different
      hint: nothing was written; --out DIR names another folder, to compare
      "
    `)
    expect(Object.keys((await shop.dap('validate')).files).sort()).toEqual(['dap.yaml', 'ops/alerts.yaml'])
    expect((await shop.dap('new ops --out theirs/dap')).code).toBe(0)
    expect(shop.read('theirs/dap/alerts.yaml')).toContain('DapUnready')
  })

  it.each([
    ['new ops alerts', 'ops has no name'],
    ['new ops --env prod', 'only a deployment has an --env'],
    ['new policy p --out x', '--out is for ops'],
    ['new policy', 'which name has the policy?'],
  ])('refuses `%s`', async (line, message) => {
    expect(await dap(line, PROJECT)).toMatchObject({ code: 3, stderr: expect.stringContaining(message) })
  })

  it('refuses a folder in which dap.yaml has resources looked for', async () => {
    const files = { 'dap.yaml': PROJECT['dap.yaml'].replace('{}', '{ folders: [.] }') }
    expect(await dap('new ops', files)).toMatchObject({ code: 3, stderr: expect.stringContaining('--out DIR') })
    expect(await dap('new ops --out policies', PROJECT)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('`policies` lies in `policies`'),
    })
  })
})

describe('the dashboard and the alerts', () => {
  /** Of metrics that count nothing in this short life. */
  const LABELS: Readonly<Record<string, readonly string[]>> = {
    dap_log_shed_total: ['policy'],
    dap_agreement_total: ['policy', 'agrees'],
    dap_rewards_refused_total: ['reason'],
    dap_repeated_total: ['kind', 'conflict'],
  }

  /** Metric → its labels, and those that Prometheus adds, of a server that has decided. */
  async function knownMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const files = { 'policies/offer.yaml': offer(), 'policies/ranker.yaml': ranker(), 'models/ctr.yaml': ctr() }
    const { url } = await serve(await served(files), ['--learn', '--keep', '30d'])
    for (const policy of ['offer', 'ranker']) await post(`${url}/v1/decide`, { policy, context: { player: 'p1' } })
    const known = new Map<string, ReadonlySet<string>>()
    for (const [name, { type, samples }] of familiesOf((await get(`${url}/metrics`)).text)) {
      const own = [...(LABELS[name] ?? []), ...samples.flatMap(({ labels }) => Object.keys(labels))]
      const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
      for (const suffix of suffixes) known.set(name + suffix, new Set([...own, 'job', 'instance']))
    }
    return known
  }

  it('ask for metrics that a server has, by labels that those have', async () => {
    const known = await knownMetrics()
    const queries = [...dashboardQueries(), ...alerts().map(({ expr }) => expr), ...variableQueries()]
    expect(queries.length).toBeGreaterThan(60)
    for (const query of queries) {
      const selectors = [...query.matchAll(/\b((?:dap|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)]
      expect(selectors.length, query).toBeGreaterThan(0)
      for (const [, name, matchers = ''] of selectors) {
        expect([...known.keys()], query).toContain(name)
        for (const [, label] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
          expect([...known.get(name)!], query).toContain(label)
      }
      const grouped = [...query.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, labels]) => labels.split(', '))
      const possible = new Set(selectors.flatMap(([, name]) => [...known.get(name)!]))
      for (const label of grouped) expect([...possible], query).toContain(label)
    }
  })

  it('show every metric of dap that a server has, but what only explains another', async () => {
    const known = await knownMetrics()
    const shown = dashboardQueries().join('\n')
    const missing = [...known.keys()].filter(name => name.startsWith('dap_') && !shown.includes(name))
    expect(missing).toEqual([
      'dap_decision_duration_seconds_sum',
      'dap_decision_duration_seconds_count',
      'dap_model_seconds_sum',
      'dap_model_seconds_count',
      'dap_model_batch_rows_bucket',
    ])
  })

  it('are shown to fire, and not to fire, each of them', () => {
    const names = alerts().map(({ alert }) => alert)
    expect(new Set(names).size).toBe(names.length)
    expect(alertTests().map(({ name }) => name)).toEqual(names)
    for (const { name, promql_expr_test: tests } of alertTests()) {
      expect(tests.every(({ expr }) => expr === `ALERTS{alertname="${name}", alertstate="firing"}`)).toBe(true)
      expect(
        tests.some(({ exp_samples = [] }) => exp_samples.length === 1),
        name,
      ).toBe(true)
      expect(
        tests.some(({ exp_samples = [] }) => exp_samples.length === 0),
        name,
      ).toBe(true)
    }
  })

  it('tell whoever is woken what it means and what to do', () => {
    for (const { alert, labels, annotations } of alerts()) {
      expect(alert).toMatch(/^Dap[A-Z]/)
      expect(['critical', 'warning']).toContain(labels['severity'])
      expect(Object.keys(annotations)).toEqual(['summary', 'description', 'action'])
      for (const [key, text] of Object.entries(annotations)) expect(text.length, `${alert} ${key}`).toBeGreaterThan(15)
    }
  })

  it('are on a page where nothing lies on anything else, and ask the data source that is chosen', () => {
    const { panels, templating } = dashboard()
    expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' })
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = new Set<string>()
    for (const { title, type, gridPos, datasource, targets = [] } of panels) {
      if (type !== 'row') expect(datasource?.uid, title).toBe(CHOSEN)
      for (const target of targets) expect(target.datasource.uid, title).toBe(CHOSEN)
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x} ${y}`), title).toBe(false)
          cells.add(`${x} ${y}`)
        }
      }
    }
  })
})

/** `label_values(dap_ready, job)` → a query of that metric, grouped by that label. */
const variableQueries = () =>
  dashboard().templating.list.flatMap(({ definition }) => {
    const [, metric, label] = /^label_values\((.*), (\w+)\)$/.exec(definition ?? '') ?? []
    return metric === undefined ? [] : [`count by (${label}) (${metric})`]
  })
