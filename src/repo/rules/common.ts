import { didYouMean } from '../../diagnostics.ts'
import { kindWord } from '../../kind-word.ts'
import type { CelFault } from '../../policy/cel.ts'
import type { Fault, Path } from '../fault.ts'
import type { Reference } from '../references.ts'
import type { Lookup } from '../resource.ts'
import { list } from '../schema.ts'

export { milliseconds } from '../../policy/duration.ts'

export function semantic(path: Path, message: string, hint: string): Fault {
  return { code: 'semantic', message, hint, path }
}

/** A name that is none of the known ones, if so. */
export function* known(name: string, names: readonly string[], what: string, path: Path, on?: 'key'): Generator<Fault> {
  if (names.includes(name)) return
  const hint =
    didYouMean(name, names) ?? (names.length === 0 ? `declare the ${what} first` : `known are ${some(names)}`)
  yield { code: 'reference', message: `there is no ${what} \`${name}\``, hint, path, on }
}

/** A reference to a resource that is not there, if so. */
export function* referenceRules({ kind, name, path, builtIn }: Reference, repository: Lookup): Generator<Fault> {
  if (builtIn.includes(name) || repository.mayHave(kind, name)) return
  const hint =
    repository.suggest(kind, name) ?? didYouMean(name, builtIn) ?? `\`dap new ${kindWord(kind)} ${name}\` adds one`
  yield { code: 'reference', message: `there is no ${kind} \`${name}\``, hint, path }
}

/** The first ten of some names. */
export function some(names: readonly string[]): string {
  return `${list(names.slice(0, 10))}${names.length > 10 ? ` and ${names.length - 10} more` : ''}`
}

/** How weights come to sum to 1: the last is what the others leave, or all are divided by what they sum to. */
export function sumHint(weights: Readonly<Record<string, number>>): string {
  const [[last, weight] = ['', 0]] = Object.entries(weights).slice(-1)
  const sum = Object.values(weights).reduce((a, b) => a + b, 0)
  const rest = Number((1 - (sum - weight)).toPrecision(10))
  return rest >= 0 && sum > 0 && sum < 2
    ? `with \`${last}: ${rest}\` they do`
    : `divide each by ${Number(sum.toPrecision(10))}`
}

/** Items whose key was there before. */
export function* duplicates(keys: readonly string[], what: string, path: (i: number) => Path): Generator<Fault> {
  const seen = new Set<string>()
  for (const [i, key] of keys.entries()) {
    if (seen.has(key)) {
      const hint = 'take one of them out, or call it otherwise'
      yield { code: 'duplicate', message: `the ${what} \`${key}\` is there twice`, hint, path: path(i) }
    }
    seen.add(key)
  }
}

export function celFault(fault: CelFault, path: Path): Fault {
  return { code: 'cel', ...fault, path }
}

/** A file, folder or glob that a resource names: inside the repository, or below a root that the Project declares. */
export function* filePath(file: string, path: Path, { project }: Lookup): Generator<Fault> {
  const roots = project.dataRoots.map(normal)
  const place = normal(file)
  if (!isOutside(place) || roots.some(root => place === root || place.startsWith(`${root}/`))) return
  yield {
    code: 'reference',
    message: `\`${file}\` is outside the repository`,
    hint: 'declare its folder in `spec.dataRoots` of dap.yaml, or move it inside',
    path,
  }
}

/** Does a path lead out of the folder that it is relative to? */
export function leaves(path: string): boolean {
  return isOutside(normal(path))
}

/** Do two paths that are relative to the same folder name one file? */
export function samePath(a: string | undefined, b: string | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && normal(a) === normal(b))
}

const isOutside = (path: string) =>
  path.startsWith('/') || /^[A-Za-z]:/.test(path) || path === '..' || path.startsWith('../')

/** `a/./b/../c` → `a/c`; leading `..` stay. */
function normal(path: string): string {
  const steps: string[] = []
  for (const step of path.replaceAll('\\', '/').split('/')) {
    if (step === '.' || (step === '' && steps.length > 0)) continue
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..' && steps.at(-1) !== '') steps.pop()
    else if (step !== '..' || steps.at(-1) !== '') steps.push(step)
  }
  return steps.join('/')
}
