/** The samples of a Prometheus text that may never fall, by name and labels: those of counters and histograms. */
export function countersOf(text: string): Map<string, number> {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]))
  const samples = new Map<string, number>()
  for (const [, sample, name, value] of text.matchAll(/^((\w+)(?:\{.*\})?) (\S+)$/gm)) {
    const kind = kinds.get(name) ?? kinds.get(name.replace(/_(bucket|count|sum)$/, ''))
    if (kind === 'counter' || kind === 'histogram') samples.set(sample, Number(value))
  }
  return samples
}

/** The counters that were more before, or are gone. */
export function fallen(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string[] {
  return [...before].filter(([sample, value]) => !((after.get(sample) ?? -1) >= value)).map(([sample]) => sample)
}
