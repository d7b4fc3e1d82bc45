/** What `dap new ops` gives: the queries of its dashboard and its alerts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { PACKAGE_ROOT } from './run-dap.ts'

export const OPS = join(PACKAGE_ROOT, 'templates', '_ops')

export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface AlertTest {
  readonly name: string
  readonly promql_expr_test: readonly {
    readonly expr: string
    readonly eval_time: string
    readonly exp_samples?: readonly { readonly labels: string }[]
  }[]
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource?: { readonly uid: string }
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
}

export interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[]
  }
}

const read = (name: string) => readFileSync(join(OPS, name), 'utf8')

export const dashboard = (): Dashboard => JSON.parse(read('dashboard.json'))

export const alerts = (): readonly Alert[] =>
  (load(read('alerts.yaml')) as { groups: readonly { rules: readonly Alert[] }[] }).groups.flatMap(({ rules }) => rules)

export const alertTests = (): readonly AlertTest[] =>
  (load(read('alerts.test.yaml')) as { tests: readonly AlertTest[] }).tests

/** Queries as Prometheus gets them from Grafana, with values for its variables. */
export const dashboardQueries = (): readonly string[] =>
  dashboard()
    .panels.flatMap(({ targets = [] }) => targets)
    .map(({ expr }) => expr.replaceAll(/\$__rate_interval|\$__range/g, '5m').replaceAll(/\$(job|policy)/g, '.*'))
