/** Prometheus' text format, read as simply as what prom-client writes allows. */
export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** Name → family; the series of a histogram belong to it. */
export function familiesOf(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>()
  let help = ''
  for (const line of text.split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') help = rest
    if (kind === 'TYPE') families.set(name, { type: rest, help, samples: [] })
    const [, series, inside = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (series === undefined) continue
    const family = families.get(series) ?? families.get(series.replace(/_(bucket|sum|count)$/, ''))
    if (family === undefined) throw new Error(`a series without its metric: ${line}`)
    const labels = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text] as const)
    family.samples.push({ labels: Object.fromEntries(labels), value: Number(value) })
  }
  return families
}

/** The value of the one series that has these labels; undefined where there is none. */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name)
  return family?.samples.find(sample => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    ?.value
}
