import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

/** Where faults of the kernels and the estimators are looked for: what runs in this process, without clouds and without `dist`. */
const FOLDERS = ['policy', 'evaluate', 'train', 'log', 'models', 'simulate', 'serve', 'commands', 'repo']

/** A test file that takes longer runs last. */
const SLOW_SECONDS = 20

/** Test file → the files of `src` that it reaches by imports. */
export type Reach = ReadonlyMap<string, ReadonlySet<string>>

export function reachOfTests(root: string): Reach {
  const files = ['src', 'test'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(file => /\.tsx?$/.test(file))
      .map(file => join(folder, file)),
  )
  const imports = new Map(files.map(file => [file, importsOf(root, file)]))
  return new Map(
    files
      .filter(file => /\.test\.tsx?$/.test(file) && FOLDERS.includes(file.split('/')[1]))
      .map(file => [file, reachable(file, imports)]),
  )
}

/** The files whose code runs when this one is imported, or may be. */
function importsOf(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const targets = [
    ...text.matchAll(/^(?:import|export)\s(?!type\s)[^;'"]*?from\s+'(\.[^']+)'/gm),
    ...text.matchAll(/^import\s+'(\.[^']+)'/gm),
    ...text.matchAll(/(?:\bimport|new URL)\('(\.[^']+\.tsx?)'/g),
  ]
  return targets.map(([, target]) => relative(root, join(root, dirname(file), target)))
}

function reachable(from: string, imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set([from])
  for (const file of reached) for (const next of imports.get(file) ?? []) reached.add(next)
  return reached
}

/** The tests that could notice a fault of a file: those named like it, then those beside it, then the others; quick ones first. */
export function testsOf(file: string, reach: Reach, seconds: ReadonlyMap<string, number>): string[] {
  const name = basename(file, '.ts')
  const folder = join('test', file.split('/')[1])
  const distance = (test: string) => {
    if (seconds.get(test)! > SLOW_SECONDS) return 3
    if (!test.startsWith(`${folder}/`)) return 2
    return basename(test).startsWith(`${name}.test.`) ? 0 : 1
  }
  return [...reach.keys()]
    .filter(test => reach.get(test)!.has(file))
    .sort((a, b) => distance(a) - distance(b) || seconds.get(a)! - seconds.get(b)!)
}
