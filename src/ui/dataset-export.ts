import { dump } from 'js-yaml'
import type { TextContext } from '../command.ts'
import type { DatasetExportResult } from '../results.ts'
import { plural } from './numbers.ts'

/** What was written, and where. */
export function datasetExportText(result: DatasetExportResult, { style }: TextContext): string {
  const { policy, dataset, file, columns, features } = result
  const span = dataset.from === undefined ? '' : `, ${dataset.from} to ${dataset.to}`
  const kept = dataset.heldOut === 0 ? '' : `, ${plural(dataset.heldOut, 'row')} of held out units left out`
  const numbers = features?.inputs.reduce((sum, { components }) => sum + components.length, 0) ?? 0
  const seen = features === undefined ? '' : ` and ${plural(numbers, 'feature')} of ${features.model ?? policy}`
  const lines = [
    `${style.bold(dataset.name)}: ${plural(dataset.rows, 'row')}${seen}${kept}${span}`,
    `${file.path}  ${style.dim(file.digest)}`,
    ...(features === undefined ? [] : [`${features.path}  ${style.dim(features.digest)}`]),
    `columns: ${columns.join(', ')}`,
  ]
  return [
    lines.join('\n'),
    ...(dataset.notes.length > 0 ? [dataset.notes.join('\n')] : []),
    ...(features === undefined ? [] : [`a Model that is trained on them says:\n\n${modelOf(result, features)}`]),
  ].join('\n\n')
}

/** What is to be written into the Model: where it has no inputs yet, those. */
function modelOf({ dataset }: DatasetExportResult, features: NonNullable<DatasetExportResult['features']>): string {
  const inputs = features.inputs.map(({ name, dtype, features: made }) => ({ name, dtype, features: made }))
  const spec = {
    ...(features.model === undefined ? { inputs } : {}),
    provenance: { trainedOn: `sha256:${dataset.digest}`, features: features.digest },
  }
  return dump(spec, { flowLevel: 3, flowBracketPadding: true, lineWidth: -1 }).trimEnd().replaceAll(/^/gm, '  ')
}
