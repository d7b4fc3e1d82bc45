import type { TextContext } from '../command.ts'
import type { CheckedModel, FoundModel, ModelCheckResult, ModelParity, ModelShowResult } from '../results.ts'
import { cleaned } from './cloud.ts'
import { diagnosticText } from './diagnostics.ts'
import { plural, short } from './numbers.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What is wrong with each, and a table of all. */
export function modelCheckText(
  untrusted: ModelCheckResult,
  lines: ReadonlyMap<string, readonly string[]>,
  context: TextContext,
): string {
  const { models, passed } = cleaned(untrusted)
  const { style, columns } = context
  const faults = models.flatMap(({ diagnostics }) =>
    diagnostics.map(each => diagnosticText(each, lines.get(each.file), style, columns)),
  )
  const wrong = models.filter(each => !each.passed).length
  const summary = passed
    ? `${plural(models.length, 'model')} checked: ${models.length === 1 ? 'it is' : 'all are'} right`
    : `${plural(models.length, 'model')} checked: ${wrong} ${wrong === 1 ? 'is' : 'are'} not right`
  const titles = [
    { title: 'Model' },
    { title: 'parity' },
    { title: 'off by', align: 'right' },
    { title: 'seconds', align: 'right' },
  ] as const
  return [
    ...faults,
    table(
      titles,
      models.map(each => rowOf(each, style)),
      context,
    ),
    summary,
  ].join('\n\n')
}

function rowOf({ name, parity, passed }: CheckedModel, style: Style): string[] {
  if (parity === null) return [name, passed ? style.dim('no rows') : style.red('errors'), '', '']
  const { batches, seconds } = parity
  const ran = batches.length > 0
  return [name, parityWords(parity, style), ran ? offBy(batches) : '', ran ? short(seconds) : '']
}

function parityWords({ status, reason, rows, batches }: ModelParity, style: Style): string {
  if (reason !== null) return status === 'failed' ? style.red('failed') : style.yellow(`not run: ${reason}`)
  const words = `${plural(rows, 'row')} in batches of ${batches.map(({ size }) => size).join(', ')}`
  return status === 'passed' ? `${style.green('passed')}, ${words}` : `${style.red('failed')}, ${words}`
}

/** Null, which stands for what is no number, is further off than any number. */
function offBy(batches: ModelParity['batches']): string {
  const differences = batches.map(({ difference }) => difference ?? Number.POSITIVE_INFINITY)
  const most = Math.max(...differences)
  return Number.isFinite(most) ? short(most) : 'no number'
}

/** What the Model says, then what its file says. */
export function modelShowText(untrusted: ModelShowResult, context: TextContext): string {
  const model = cleaned(untrusted)
  const { style } = context
  const said = [
    ['runtime', `${model.runtime}, ${model.at}`],
    ['digest', model.digest ?? 'not said'],
    [
      'inputs',
      model.inputs.map(({ name, dtype, features }) => `${name}: ${dtype}, ${plural(features, 'feature')}`).join('; '),
    ],
    ['output', model.output + (model.calibration === null ? '' : `, calibrated: ${model.calibration}`)],
    ...(model.listwise ? [['listwise', 'a score depends on the whole list']] : []),
    ['parity', model.parity === null ? 'no rows' : plural(model.parity, 'row')],
    ['used by', model.policies.join(', ') || (model.errors > 0 ? 'nobody knows while it has errors' : 'no policy')],
  ]
  const errors = `${plural(model.errors, 'error')}: \`dap model check ${model.name}\` shows ${model.errors === 1 ? 'it' : 'them'}`
  return [
    `${style.bold(model.name)}  ${style.dim(model.file)}`,
    rows(said, context),
    ...(model.found === null ? [] : [`${style.bold('its file says')}\n${rows(foundRows(model.found), context)}`]),
    ...(model.errors === 0 ? [] : [style.red(errors)]),
  ].join('\n\n')
}

const foundRows = ({ producer, irVersion, opsets, operators, inputs, outputs, metadata }: FoundModel) => [
  ['made by', `${producer === '' ? 'nobody knows' : producer}, IR ${irVersion}`],
  ['operator sets', counts(opsets)],
  ['operators', counts(operators)],
  ['inputs', inputs.map(tensorText).join('; ')],
  ['outputs', outputs.map(tensorText).join('; ')],
  ...Object.entries(metadata).map(([key, value]) => [key, value]),
]

const counts = (numbers: Readonly<Record<string, number>>) =>
  Object.entries(numbers)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

const tensorText = ({ name, dtype, shape }: FoundModel['inputs'][number]) =>
  `${name}: ${dtype} [${shape.map(size => size ?? '?').join(', ')}]`

const rows = (pairs: readonly (readonly string[])[], { style, ...context }: TextContext) => {
  const columns = [{ title: '' }, { title: '', prose: true }] as const
  return table(
    columns,
    pairs.map(([name, text]) => [style.dim(name), text]),
    { style, ...context },
  ).replace(/^\s*\n/, '')
}
