/** How one result, or those of several, are printed. */
import type { CommandModule, TextContext } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import type { PublishedResult } from '../../generated/types.ts'
import { errorResult } from '../../invalid-files.ts'
import type { RuleResult } from '../../results.ts'
import { diagnosticText } from '../../ui/diagnostics.ts'
import { type Case, commandFailed, type FindingPlace, fileCases } from '../../ui/formats/report.ts'
import { code, prose, row } from '../../ui/markdown.ts'
import { plural } from '../../ui/numbers.ts'
import { ruleCases } from '../../ui/rules-report.ts'
import type { Style } from '../../ui/style.ts'
import { table } from '../../ui/table.ts'
import type { Entry, Ran } from './run.ts'
import type { RunKind } from './selection.ts'

/** What is known of each that is done. */
export interface Judged<Result extends PublishedResult> {
  readonly result: Result & { readonly passed: boolean }
  readonly rules: readonly RuleResult[]
  /** Where the rules stand that do not hold, by id. */
  readonly places: ReadonlyMap<string, FindingPlace>
}

export interface Presentation<Done, Result extends PublishedResult> {
  readonly kind: RunKind
  readonly rule: 'gate' | 'expectation'
  text(done: Done, context: TextContext): string
  markdown(done: Done): string
  several(all: {
    readonly results: readonly Result[]
    readonly errors: readonly { readonly name: string; readonly error: ReturnType<typeof errorResult> }[]
    readonly skipped: readonly string[]
    readonly passed: boolean
  }): PublishedResult
}

type Presented<Done> = Required<
  Pick<CommandModule<unknown, Ran<Done>>, 'text' | 'json' | 'exitCode' | 'report' | 'markdown'>
>

export function presented<Result extends PublishedResult, Done extends Judged<Result>>(
  how: Presentation<Done, Result>,
): Presented<Done> {
  const { kind, rule } = how
  return {
    text({ named, entries }, context) {
      const done = entries.flatMap(each => ('done' in each ? how.text(each.done, context) : []))
      if (named) return done[0]
      if (entries.length === 0) return noneText(kind)
      const errors = entries.flatMap(each => ('error' in each ? errorText(each, context.style) : []))
      if (entries.length === 1 && done.length === 1) return done[0]
      return [...done, ...errors, summaryTable(entries, how, context), summaryText(entries, kind)].join('\n\n')
    },

    json({ named, entries }) {
      const results = entries.flatMap(each => ('done' in each ? each.done.result : []))
      if (named) return results[0]
      return how.several({
        results,
        errors: entries.flatMap(each => ('error' in each ? { name: each.name, error: errorResult(each.error) } : [])),
        skipped: entries.flatMap(each => ('skipped' in each ? each.name : [])),
        passed: entries.every(each => exitCodeOf(each) === ExitCode.done),
      })
    },

    exitCode: ({ entries }) => Math.max(ExitCode.done, ...entries.map(exitCodeOf)) as ExitCode,

    report: ({ folder, entries }) => ({
      summary: entries.length === 0 ? noneText(kind).split('\n')[0] : summaryText(entries, kind),
      folder,
      cases: entries.flatMap(each => casesOf(each, rule)),
    }),

    markdown({ entries }) {
      if (entries.length === 0) return `${prose(noneText(kind))}\n`
      const rows = entries.map(each => row(SIGNS[wordOf(each)], code(each.name), prose(judgedText(each, rule))))
      return [
        `### ${prose(summaryText(entries, kind))}`,
        [row('', kind.toLowerCase(), `${rule}s`), '|---|---|---|', ...rows].join('\n'),
        ...entries.flatMap(each =>
          'done' in each ? how.markdown(each.done) : 'error' in each ? errorMarkdown(each) : [],
        ),
        '',
      ].join('\n\n')
    },
  }
}

const SIGNS = { passed: '✓', failed: '✗', error: '✗', skipped: '–' } as const

type Word = keyof typeof SIGNS

function wordOf<Done extends Judged<PublishedResult>>(entry: Entry<Done>): Word {
  if ('skipped' in entry) return 'skipped'
  if ('error' in entry) return 'error'
  return entry.done.result.passed ? 'passed' : 'failed'
}

function exitCodeOf<Done extends Judged<PublishedResult>>(entry: Entry<Done>): ExitCode {
  if ('error' in entry) return entry.error.exitCode
  return wordOf(entry) === 'failed' ? ExitCode.no : ExitCode.done
}

/** `2 of 3 passed`, or why there is no number. */
function judgedText<Done extends Judged<PublishedResult>>(entry: Entry<Done>, rule: string): string {
  if ('skipped' in entry) return entry.skipped
  if ('error' in entry) return entry.error.message
  const { rules } = entry.done
  return rules.length === 0 ? `no ${rule}` : `${rules.filter(({ passed }) => passed).length} of ${rules.length} passed`
}

function summaryTable<Result extends PublishedResult, Done extends Judged<Result>>(
  entries: readonly Entry<Done>[],
  { kind, rule }: Presentation<Done, Result>,
  context: TextContext,
): string {
  const { style } = context
  const paint = { passed: style.green, failed: style.red, error: style.red, skipped: style.dim }
  return table(
    [{ title: kind.toLowerCase() }, { title: 'outcome' }, { title: `${rule}s`, prose: true }],
    entries.map(each => [each.name, paint[wordOf(each)](wordOf(each)), judgedText(each, rule)]),
    context,
  )
}

/** `3 scenarios: 1 passed, 1 failed, 1 could not be run` */
function summaryText<Done extends Judged<PublishedResult>>(entries: readonly Entry<Done>[], kind: RunKind): string {
  const words = { passed: 'passed', failed: 'failed', error: 'could not be run', skipped: 'skipped' }
  const counts = Object.entries(words).flatMap(([word, text]) => {
    const count = entries.filter(each => wordOf(each) === word).length
    return count === 0 ? [] : [`${count} ${text}`]
  })
  return `${plural(entries.length, kind.toLowerCase())}: ${counts.join(', ')}`
}

const noneText = (kind: RunKind) =>
  `no ${kind.toLowerCase()} here, so nothing was run\n\`dap new ${kind.toLowerCase()} NAME\` adds one`

/** The stop, and the faults of files that are the reason. */
function errorText<Done>(
  entry: Entry<Done> & { readonly error: Parameters<typeof errorResult>[0] },
  style: Style,
): string {
  const { message, hint, diagnostics } = errorResult(entry.error)
  return [
    `${style.red('error')}: ${style.bold(entry.name)}: ${message}`,
    ...diagnostics.map(each => diagnosticText(each, undefined, style)),
    ...(hint === undefined ? [] : [`${style.cyan('hint')}: ${hint}`]),
  ].join('\n')
}

function errorMarkdown<Done>(entry: Entry<Done> & { readonly error: Parameters<typeof errorResult>[0] }): string {
  const { message, hint, diagnostics } = errorResult(entry.error)
  const faults = diagnostics.map(({ file, line, message }) => `- ${code(`${file}:${line}`)}: ${prose(message)}`)
  return [
    `**${code(entry.name)}**: ${prose(message)}${hint === undefined ? '' : `<br>hint: ${prose(hint)}`}`,
    ...faults,
  ].join('\n')
}

function casesOf<Done extends Judged<PublishedResult>>(entry: Entry<Done>, rule: 'gate' | 'expectation'): Case[] {
  const { name: suite } = entry
  if ('done' in entry) return ruleCases(rule, suite, entry.done.rules, id => entry.done.places.get(id))
  if ('skipped' in entry) return [{ suite, name: suite, findings: [], skipped: entry.skipped }]
  const { message, hint, diagnostics } = errorResult(entry.error)
  if (diagnostics.length > 0) return fileCases(suite, [], diagnostics)
  return [{ suite, name: suite, broke: true, findings: [commandFailed(message, hint)] }]
}
