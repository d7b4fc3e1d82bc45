/** Prometheus' text format, read as simply as what prom-client writes allows. */
export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: {
    readonly series: string
    readonly labels: Readonly<Record<string, string>>
    readonly value: number
  }[]
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
    const family = familyOf(families, series)
    if (family === undefined) throw new Error(`a series without its metric: ${line}`)
    const labels = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text] as const)
    family.samples.push({ series, labels: Object.fromEntries(labels), value: Number(value) })
  }
  return families
}

const familyOf = (families: ReadonlyMap<string, Family>, series: string): Family | undefined =>
  families.get(series) ?? families.get(series.replace(/_(bucket|sum|count)$/, ''))

/** The value of the one series that has these labels; undefined where there is none. */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return familyOf(families, name)?.samples.find(
    sample => sample.series === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value
}
