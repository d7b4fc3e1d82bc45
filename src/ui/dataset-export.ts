import type { TextContext } from '../command.ts'
import type { DatasetExportResult } from '../results.ts'
import { plural } from './numbers.ts'

/** What was written, and where. */
export function datasetExportText(
  { policy, dataset, file, columns, features }: DatasetExportResult,
  { style }: TextContext,
): string {
  const span = dataset.from === undefined ? '' : `, ${dataset.from} to ${dataset.to}`
  const kept = dataset.heldOut === 0 ? '' : `, ${plural(dataset.heldOut, 'row')} of held out units left out`
  const seen = features.length === 0 ? '' : ` and ${plural(features.length, 'feature')} of ${policy}`
  const lines = [
    `${style.bold(dataset.name)}: ${plural(dataset.rows, 'row')}${seen}${kept}${span}`,
    `${file.path}  ${style.dim(file.digest)}`,
    `columns: ${columns.join(', ')}`,
  ]
  return [lines.join('\n'), ...(dataset.notes.length > 0 ? [dataset.notes.join('\n')] : [])].join('\n\n')
}
