import type { FieldChange } from '../deploy/change.ts'
import type { DeploymentPlan, EvidenceState, Orphan, Plan } from '../deploy/wanted/plan.ts'
import { shortDigest } from '../digest.ts'
import type { RuleFinding } from '../generated/types.ts'
import { otherFindings, ruleText } from '../titles.ts'
import { cleaned, orphanName, timeText } from './cloud.ts'
import { code, folded, html, MAX_CHARACTERS, prose, row, upTo } from './markdown.ts'
import { plural } from './numbers.ts'
import {
  fieldText,
  figureText,
  foreignName,
  isQuiet,
  namesOf,
  orphanNames,
  overlapText,
  ownerText,
  planSummary,
  type Step,
  stepsOf,
  symbolOf,
  valueText,
  wordOf,
} from './plan.ts'

/** Of a row of the table, and of what is folded up of one deployment, however many there are. */
const MAX_ROW = 4_000
const MIN_DETAILS = 1_500

/**
 * The plan as a comment on a pull request. The first line is a marker of the environment: CI finds the comment by it and updates it.
 * Whatever a plan names may have been written by anybody: names stand in code spans, sentences are escaped.
 */
export function planMarkdown(untrusted: Plan): string {
  const plan = cleaned(untrusted)
  const { environment, header, digest, deployments, orphans, foreign } = plan
  const quiet = deployments.filter(isQuiet).length
  const loud = deployments.filter(each => !isQuiet(each))
  const commit =
    header.commit === null
      ? ''
      : `, commit ${code(header.commit.id)}${header.commit.dirty ? ' with uncommitted changes' : ''}`
  const head = [
    `<!-- dap plan ${environment.name.replace(/[^a-z0-9-]/gi, '')} -->`,
    `### Plan for ${code(environment.name)}: ${prose(planSummary(plan))}`,
  ].join('\n')
  const foot = `Digest ${code(shortDigest(digest))}${commit}, good until ${prose(timeText(header.expires))}.`
  const rows = [
    ...loud.map(rowText),
    ...(quiet === 0 ? [] : [row('=', `${quiet} unchanged`, '', '')]),
    ...orphans.map(each =>
      row(
        each.changes.length > 0 ? '-' : '=',
        code(orphanName(each, environment.name)),
        each.changes.length > 0 ? 'delete' : 'orphan',
        prose(each.kept ?? ''),
      ),
    ),
    ...foreign.map(each => row('=', code(foreignName(each, environment.name)), 'not touched', prose(ownerText(each)))),
  ]
  const left = MAX_CHARACTERS - head.length - foot.length
  const table = upTo(left / 2, rows, '\n', more => row('…', `${more} more`, '', 'in the plan file'))
  const said = [...otherFindings(plan).map(ruleItem), ...plan.notes.map(listed)]
  const notes = upTo(left / 8, said, '\n', more => `- and ${plural(more, 'more note')} in the plan file`)
  const details = [
    ...loud.map(detailsOf),
    ...orphans.filter(each => each.changes.length > 0).map(each => orphanDetails(each, environment.name)),
  ]
  return [
    head,
    ...(rows.length === 0 ? [] : [`| | deployment | action | what differs |\n|---|---|---|---|\n${table}`]),
    ...(notes === '' ? [] : [notes]),
    ...foldedAll(details, left - table.length - notes.length - 200),
    foot,
  ].join('\n\n')
}

function rowText(plan: DeploymentPlan): string {
  const { deployment, action, fields, held, blocked, notes } = plan
  const differs = fields.flatMap(change => [`${code(change.field)} ${code(fieldText(change))}`, ...withinTexts(change)])
  const what = [
    ...blocked.map(({ reason }) => `**blocked**: ${prose(reason)}`),
    ...differs,
    ...(action === 'none' || held ? notes.map(prose) : []),
  ]
  const differing = upTo(MAX_ROW, what, '<br>', more => `and ${more} more`)
  return row(symbolOf(plan), code(deployment), wordOf(plan), differing)
}

function withinTexts({ within }: FieldChange): string[] {
  if (within === undefined) return []
  const texts = within.fields.map(each => `&nbsp; ${code(each.field)} ${code(valueText(each))}`)
  return within.more === 0 ? texts : [...texts, `&nbsp; and ${within.more} more`]
}

/** What is folded up: a line of HTML, and Markdown in paragraphs. */
interface Details {
  readonly summary: string
  readonly parts: readonly string[]
}

function detailsOf(plan: DeploymentPlan): Details {
  const { changes, desired, drift, evidence, overlap, notes, blocked } = plan
  const parts = [
    stepList(stepsOf(changes, desired.rollout.gates, namesOf(plan))),
    drift.length === 0
      ? ''
      : [
          '| drift | Git | last applied | live |',
          '|---|---|---|---|',
          ...drift.map(({ field, git, applied, live }) =>
            row(...[field, git, applied, live].map(cell => code(cell ?? 'none'))),
          ),
        ].join('\n'),
    changes.length === 0 ? '' : evidence.map(evidenceText).join('\n'),
    overlap === null ? '' : `Overlap: ${prose(overlapText(overlap))}`,
    notes.map(listed).join('\n'),
    blocked.map(({ reason, hint }) => `- **blocked**: ${prose(reason)}; ${prose(hint)}`).join('\n'),
  ]
  return {
    summary: `${symbolOf(plan)} <code>${html(plan.deployment)}</code>: ${plural(changes.length, 'change')}`,
    parts,
  }
}

const evidenceText = ({ kind, name, state, figure }: EvidenceState) =>
  `- Evidence: ${kind} ${code(name)} ${state === 'passed' ? state : `**${state}**`}${figure === null ? '' : `, ${prose(figureText(figure))}`}`

const orphanDetails = (orphan: Orphan, environment: string): Details => ({
  summary: `- <code>${html(orphanName(orphan, environment))}</code>: ${plural(orphan.changes.length, 'change')}`,
  parts: [stepList(stepsOf(orphan.changes, [], orphanNames(orphan)))],
})

const stepList = (steps: readonly Step[]) =>
  steps
    .map(({ title, hold, reason }, i) => {
      const what = hold === '' ? title : `${title}, ${hold}`
      return `${i + 1}. ${prose(what)}${reason === '' ? '' : `: ${prose(reason)}`}`
    })
    .join('\n')

const ruleItem = (finding: RuleFinding) =>
  `- ${finding.level === 'block' ? '**blocked**' : '**warning**'}: ${code(finding.deployment)}, ${prose(ruleText(finding))}`

const listed = (note: string) => `- ${prose(note)}`

/** Each in its share of the characters, cut at whole lines; where there are too many, the first ones, and how many are not there. */
function foldedAll(details: readonly Details[], characters: number): string[] {
  const texts: string[] = []
  let free = characters
  for (const [i, { summary, parts }] of details.entries()) {
    if (free < MIN_DETAILS) return [...texts, `${details.length - i} more are in the plan file.`]
    const lines = parts
      .filter(part => part !== '')
      .join('\n\n')
      .split('\n')
    const share = Math.max(free / (details.length - i), MIN_DETAILS) - summary.length
    const cut = upTo(share, lines, '\n', more => `\n… and ${plural(more, 'more line')} in the plan file`)
    const text = folded(summary, [cut])
    texts.push(text)
    free -= text.length + 2
  }
  return texts
}
