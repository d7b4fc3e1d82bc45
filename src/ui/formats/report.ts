/** What a command found, in the words that other programs have for it. Every format but text and JSON is a function of this. */
import type { Diagnostic } from '../../diagnostics.ts'
import type { ErrorResult } from '../../results.ts'
import type { RuleId } from './rules.ts'

export interface Report {
  /** One sentence without a full stop. */
  readonly summary: string
  /** The absolute folder that files are relative to. */
  readonly folder: string
  /** In a steady order. */
  readonly cases: readonly Case[]
}

/** What was looked at, and may have been found wrong: a file, a gate, an expectation, a change. */
export interface Case {
  /** What the case is one of: cases of one suite come one after the other. */
  readonly suite: string
  readonly name: string
  /** Errors make it fail, warnings do not. */
  readonly findings: readonly Finding[]
  /** Why it was not looked at. */
  readonly skipped?: string
  /** It could not be looked at to the end. */
  readonly broke?: true
}

export interface Finding {
  readonly rule: RuleId
  readonly level: 'error' | 'warning'
  /** One sentence without a full stop. */
  readonly message: string
  readonly hint?: string
  readonly place?: FindingPlace
}

export interface FindingPlace {
  /** Relative to the report's folder, with forward slashes; or absolute. */
  readonly file: string
  /** Absent: the file as a whole. */
  readonly region?: {
    /** From 1. */
    readonly line: number
    /** From 1, in UTF-16 code units; absent: the whole line. */
    readonly column?: number
    /** In UTF-16 code units of that line. */
    readonly length?: number
  }
}

export type Outcome = 'passed' | 'failed' | 'error' | 'skipped'

export function outcomeOf({ findings, skipped, broke }: Case): Outcome {
  if (skipped !== undefined) return 'skipped'
  if (broke) return 'error'
  return findings.some(({ level }) => level === 'error') ? 'failed' : 'passed'
}

/** Errors first, each with what it is found in. */
export function findingsOf({ cases }: Report): readonly (Finding & { readonly of: Case })[] {
  const all = cases.flatMap(of => of.findings.map(finding => ({ ...finding, of })))
  return [...all.filter(({ level }) => level === 'error'), ...all.filter(({ level }) => level === 'warning')]
}

/** A diagnostic's sentence and place under its rule. */
function diagnosed({ severity: level, code: rule, message, hint, file, line, column, length }: Diagnostic): Finding {
  const place = line === 0 ? { file } : { file, region: { line, column, length } }
  return { rule, level, message, ...(hint === undefined ? {} : { hint }), place }
}

/** A case for each of some files, and for each other that a diagnostic is of. */
export function fileCases(suite: string, files: Iterable<string>, diagnostics: readonly Diagnostic[]): Case[] {
  const findings = new Map<string, Finding[]>([...files].map(file => [file, []]))
  for (const each of diagnostics) findings.set(each.file, [...(findings.get(each.file) ?? []), diagnosed(each)])
  return [...findings].map(([name, found]) => ({ suite, name, findings: found }))
}

/** What is said of a command that came to no result: files that are wrong, where that is the reason. */
export function failedReport(command: string, folder: string, { message, hint, diagnostics }: ErrorResult): Report {
  const failed: Case = { suite: command, name: command, broke: true, findings: [commandFailed(message, hint)] }
  const cases = diagnostics.length > 0 ? fileCases(command, [], diagnostics) : [failed]
  return { summary: message, folder, cases }
}

export const commandFailed = (message: string, hint?: string): Finding => ({
  rule: 'command',
  level: 'error',
  message,
  ...(hint === undefined ? {} : { hint }),
})
