import type { TextContext } from '../command.ts'
import { KINDS } from '../kinds.ts'
import type { ListedResource, ListResult, RecordedEvidence } from '../results.ts'
import { cleaned, timeText } from './cloud.ts'
import { plural } from './numbers.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** A table for each kind that there is; below them the faults, since of what cannot be read nothing is listed. */
export function listText(untrusted: ListResult, context: TextContext): string {
  const { resources, errors, warnings } = cleaned(untrusted)
  const { style } = context
  const groups = KINDS.flatMap(kind => {
    const rows = resources.filter(each => each.kind === kind)
    return rows.length === 0 ? [] : [groupText(rows, context)]
  })
  const counts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
  ]
  const faults = `${counts.join(', ')}: \`dap validate\` shows ${errors + warnings === 1 ? 'it' : 'them'}`
  return [
    ...(groups.length === 0 ? ['nothing is here; `dap new KIND NAME` adds a resource'] : groups),
    ...(counts.length === 0 ? [] : [errors > 0 ? style.red(faults) : style.yellow(faults)]),
  ].join('\n\n')
}

/** What is said of each kind beside its name and its file. */
const SAID: Readonly<Partial<Record<ListedResource['kind'], string>>> = {
  Environment: 'place',
  ActionSet: 'actions',
  Model: 'files',
  Scenario: 'evidence',
  Dataset: 'data',
  Evaluation: 'evidence',
  Deployment: 'policy',
}

function groupText(rows: readonly ListedResource[], context: TextContext): string {
  const { style } = context
  const [{ kind }] = rows
  const said = rows.map(each => wordsOf(each, style))
  const columns = [{ title: kind }, { title: SAID[kind] ?? '' }, { title: 'file' }]
  const cells = rows.map((each, i) => [titleOf(each), said[i], each.file])
  const shown = [0, 1, 2].filter(i => i !== 1 || said.some(words => words !== ''))
  return table(
    shown.map(i => columns[i]),
    cells.map(row => shown.map(i => row[i])),
    context,
  )
}

const titleOf = ({ name, environment }: ListedResource) =>
  environment === null ? (name ?? 'without a name') : `${environment}/${name ?? 'without a name'}`

function wordsOf({ errors, evidence, data, place, serves }: ListedResource, style: Style): string {
  if (errors > 0) return style.red(plural(errors, 'error'))
  if (evidence !== null) return evidenceWords(evidence, style)
  if (data !== null) return dataWords(data, style)
  if (place !== null) return place.target === 'emulator' ? 'emulator' : `vertex ${place.region}`
  if (serves === null) return ''
  return serves.found === false ? `${serves.policy}, ${style.yellow('no snapshot')}` : serves.policy
}

function evidenceWords({ state, at }: RecordedEvidence, style: Style): string {
  const when = at === null ? '' : ` ${timeText(at).slice(0, 10)}`
  return {
    none: style.dim('nothing recorded'),
    passed: `${style.green('passed')}${when}`,
    failed: `${style.red('failed')}${when}`,
    stale: `${style.yellow('stale')}${when}`,
    unknown: style.yellow('unknown'),
  }[state]
}

function dataWords({ files, missing, actions }: NonNullable<ListedResource['data']>, style: Style): string {
  if (missing !== null) return style.yellow('no data')
  return actions === undefined ? plural(files, 'file') : plural(actions, 'action')
}
