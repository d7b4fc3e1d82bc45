/** Which of the resources of a kind a command is about. */
import type { Command } from 'commander'
import { didYouMean } from '../../diagnostics.ts'
import { UsageError } from '../../errors.ts'
import type { Declaration } from '../../repo/resource.ts'
import type { Opened } from '../opening/repository.ts'
import { parseSelector, type Selector } from './selector.ts'

/** Kinds that are run. */
export type RunKind = 'Scenario' | 'Evaluation'

/** What was asked for, without a name. */
export interface Selection {
  readonly only?: readonly string[]
  /** With the text that it was read from. */
  readonly selector?: { readonly text: string; readonly selects: Selector }
  /** A revision of Git. */
  readonly changedSince?: string
}

/** One that is to be run. */
export interface Chosen {
  /** Of a file that does not tell one, the file. */
  readonly name: string
  readonly file: string
  /** The files with the errors that keep it from being run. */
  readonly broken: readonly string[]
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function declareSelection(command: Command, kind: RunKind): Command {
  return command
    .option('--only <name>', `this ${kind} alone; may be said several times`, collect)
    .option('-l, --selector <labels>', 'those with these labels, such as team=shop or `stage in (a,b)`', collect)
    .option('--changed-since <ref>', 'those whose inputs are not what they were at a commit of Git')
}

/** A UsageError where a name says already what is run. */
export function selectionOf(name: string | undefined, flags: Readonly<Record<string, unknown>>): Selection {
  const only = flags['only'] as readonly string[] | undefined
  const selectors = flags['selector'] as readonly string[] | undefined
  const changedSince = flags['changedSince'] as string | undefined
  const given = { '--only': only, '--selector': selectors, '--changed-since': changedSince }
  const option = Object.entries(given).find(([, value]) => value !== undefined)?.[0]
  if (name !== undefined && option !== undefined) {
    throw new UsageError(`\`${name}\` and ${option} both say what to run`, { hint: 'leave one of them out' })
  }
  const text = selectors?.join(',')
  return {
    ...(only === undefined ? {} : { only }),
    ...(text === undefined ? {} : { selector: { text, selects: parseSelector(text) } }),
    ...(changedSince === undefined ? {} : { changedSince }),
  }
}

/**
 * Those of the kind that names and labels select, by name. What has faults is among them, whatever its labels: nobody can tell that they
 * are not the wanted ones. A UsageError for a name that nothing has, and for labels that nothing has though there is something.
 */
export function choose({ repository }: Opened, kind: RunKind, { only, selector }: Selection): readonly Chosen[] {
  const all = runnable(repository.declared(kind)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const names = all.map(({ name }) => name)
  const unknown = only?.find(name => !names.includes(name))
  if (unknown !== undefined) {
    throw new UsageError(`no ${kind.toLowerCase()} \`${unknown}\``, {
      hint:
        didYouMean(unknown, names) ??
        (names.length === 0 ? 'there is none here' : `one of ${names.map(each => `\`${each}\``).join(', ')}`),
    })
  }
  const chosen = all.filter(({ name, broken }) => {
    const labels = repository.get(kind, name)?.metadata.labels ?? {}
    return (only?.includes(name) ?? true) && (selector === undefined || broken.length > 0 || selector.selects(labels))
  })
  if (chosen.length === 0 && all.length > 0) {
    const labels = repository
      .all(kind)
      .flatMap(each => Object.entries(each.metadata.labels ?? {}).map(pair => pair.join('=')))
    throw new UsageError(`no ${kind.toLowerCase()} is selected by \`${selector?.text}\``, {
      hint:
        labels.length === 0
          ? 'none has labels: they stand in `metadata.labels`'
          : `labels are ${[...new Set(labels)].sort().join(', ')}`,
    })
  }
  return chosen
}

/** Each name, or else file, once. What a file may have besides what it is known to declare is not asked for. */
function runnable(declared: readonly Declaration[]): Chosen[] {
  const known = declared.filter(({ sure }) => sure)
  const all = new Map<string, Chosen>()
  for (const { names = [], sure, file, broken } of declared) {
    if (!sure && known.some(other => other.file === file || names.includes(other.names![0]))) continue
    const name = names.length === 1 ? names[0] : file
    all.set(name, { name, file, broken })
  }
  return [...all.values()]
}
