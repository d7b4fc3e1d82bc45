import { DapError } from '../../errors.ts'

/** A path with wildcards, taken apart at the first of them: `logs/a/b-*.csv` is `b-*.csv` in `logs/a`. */
export interface Glob {
  readonly folder: string
  /** Does it match a path, relative to the folder? */
  matches(path: string): boolean
  /** May it match something in a folder, or a folder that it is in? */
  reaches(folder: string): boolean
}

/**
 * `*` is any part of a name, `?` one character of it, `[a-c]` one of these, `[!a-c]` one of the others, and `**` any number
 * of folders. No wildcard stands for what is passed over. Undefined where the path has none.
 */
export function readGlob(path: string): Glob | undefined {
  const names = path.split('/')
  const first = names.findIndex(name => /[*?[]/.test(name))
  if (first === -1) return undefined
  const pattern = names.slice(first).filter(name => name !== '' && name !== '.')
  const steps = pattern.map(name => (name === '**' ? ANY : nameMatcher(name)))
  return {
    folder: names.slice(0, first).join('/') || (path.startsWith('/') ? '/' : '.'),
    matches: file => follows(file.split('/'), steps),
    reaches: folder =>
      folder.split('/').some((_, i, names) => follows(names.slice(0, i + 1), steps)) ||
      steps.some((_, i) => follows(folder.split('/'), steps.slice(0, i))),
  }
}

/** Names that stand for no data: hidden ones, and what Spark and Hive leave behind (`_SUCCESS`), but not `_key=value`. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || (name.startsWith('_') && !name.includes('='))
}

const ANY = Symbol('any folders')

type Step = typeof ANY | ((name: string) => boolean)

function follows([name, ...below]: readonly string[], steps: readonly Step[]): boolean {
  const [step, ...rest] = steps
  if (step === ANY) {
    if (rest.length === 0) return !below.some(isPassedOver) && !isPassedOver(name)
    return follows([name, ...below], rest) || (below.length > 0 && !isPassedOver(name) && follows(below, steps))
  }
  if (step === undefined || !step(name)) return false
  return below.length === 0 ? rest.length === 0 : rest.length > 0 && follows(below, rest)
}

function nameMatcher(pattern: string): (name: string) => boolean {
  const source = pattern.replaceAll(
    /\*+|\?|\[([!^]?)([^\]]+)\]|[\\^$.+()[\]{}|]/g,
    (token, not?: string, set?: string) => {
      if (token.startsWith('*')) return '.*'
      if (token === '?') return '.'
      if (set === undefined) return `\\${token}`
      return `[${not === '' ? '' : '^'}${set.replaceAll(/[\\^]/g, '\\$&')}]`
    },
  )
  const expression = compiled(pattern, source)
  return name => expression.test(name) && (!isPassedOver(name) || pattern.startsWith(name[0]))
}

function compiled(pattern: string, source: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch {
    throw new DapError(`\`${pattern}\` is no pattern of names`, { hint: 'a range goes upwards: `[a-z]`, `[0-9]`' })
  }
}
