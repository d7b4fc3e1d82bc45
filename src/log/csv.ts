import type { CsvSpec } from '../kinds.ts'

/** How CSV is written where a Dataset does not say; the schema's defaults of `Dataset.spec.csv`, field by field, are the same. */
export const CSV: CsvSpec = {
  delimiter: ',',
  quote: '"',
  escape: '"',
  header: true,
  nulls: [''],
  decimal: '.',
  encoding: 'utf-8',
  timeZone: 'UTC',
}
