import type { Rng } from '../../src/math/rng.ts'

/** The names that one rule language knows, by the type of what they stand for. */
export interface Vocabulary {
  /** Type (`int`, `double`, `string`, `bool`, `list`) → expressions of it, such as `ctx.level`. */
  readonly known: Readonly<Record<string, readonly string[]>>
  /** What it can call, macros included. */
  readonly functions: readonly string[]
  /** Expressions that the language refuses. */
  readonly wrong: readonly string[]
}

const TYPES = ['int', 'double', 'string', 'bool', 'list']

/** What crashes libraries: names of prototypes, borders of numbers, nothing at all, texts that are no text. */
const ODD: Readonly<Record<string, readonly string[]>> = {
  int: [
    '0',
    '-1',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '0x7f',
    '1u',
    '99999999999999999999u',
  ],
  double: ['0.0', '1e308', '1e400', '-0.0', '.5', '1e-400'],
  string: ["''", "'ios'", '"\\u00e9"', "r'\\n'", "'''a'''", "'constructor'", "'\\ud800'", "b'x'", "'😀'"],
  bool: ['true', 'false', 'null', 'nul', 'type(1)'],
  list: ['[]', '[[]]', '[{}]', '{}', "{'a': 1}", "{'constructor': 1}", '[1, 2.0]', 'null', '[[1]]'],
}

const NAMES = [
  'constructor',
  'toString',
  '__proto__',
  'hasOwnProperty',
  'valueOf',
  'x',
  'ctx',
  'in',
  'estimate',
  'name',
]
const OPERATORS = ['<', '<=', '>', '>=', '==', '!=']

/**
 * An expression of chance: mostly of the type that is asked for, with names that the language knows and names that it does not, and now and
 * then with a character too many or too few.
 */
export function randomExpression(rng: Rng, type: string, words: Vocabulary): string {
  const chance = (p: number) => rng.uniform() < p
  const one = <T>(of: readonly T[]): T => of[Math.floor(rng.uniform() * of.length)]

  function leaf(wanted: string): string {
    if (chance(0.04)) return one(words.wrong)
    if (chance(0.04)) return one(NAMES)
    if (chance(0.2)) return one(ODD[wanted])
    const names = words.known[wanted] ?? []
    if (names.length > 0 && chance(0.75)) return one(names)
    if (wanted === 'int') return String(Math.floor(rng.uniform() * 20))
    if (wanted === 'double') return (rng.uniform() * 20).toFixed(1)
    if (wanted === 'string') return one(["'ios'", "'x'", "'web'"])
    return wanted === 'bool' ? one(['true', 'false']) : one(['[1.0, 2.0]', "['ios']", '[1]', '[]'])
  }

  function of(wanted: string, depth: number): string {
    const kind = chance(0.03) ? one(TYPES) : wanted
    if (depth <= 0 || chance(0.2)) return leaf(kind)
    const deeper = (next: string) => of(next, depth - 1)
    const any = () => deeper(one(TYPES))
    if (chance(0.03)) return `${any()}.${one(NAMES)}`
    if (chance(0.02)) return `${any()}[${any()}]`
    if (chance(0.05)) return `${deeper('bool')} ? ${deeper(kind)} : ${deeper(kind)}`
    if (chance(0.05)) return `(${deeper(kind)})`
    switch (kind) {
      case 'int':
        return one([
          () => `${deeper('int')} ${one(['+', '-', '*', '/', '%'])} ${deeper('int')}`,
          () => call('size', `size(${deeper(one(['string', 'list']))})`, kind),
          () => call('int', `int(${any()})`, kind),
          () => `-${deeper('int')}`,
        ])()
      case 'double':
        return one([
          () => `${deeper('double')} ${one(['+', '-', '*', '/', '%'])} ${deeper('double')}`,
          () => call('double', `double(${any()})`, kind),
          () => `${deeper('list')}[${deeper('int')}]`,
          () => `-${deeper('double')}`,
        ])()
      case 'string':
        return one([
          () => `${deeper('string')} + ${deeper('string')}`,
          () => call('string', `string(${any()})`, kind),
        ])()
      case 'list':
        return one([
          () => `[${Array.from({ length: Math.floor(rng.uniform() * 4) }, any).join(', ')}]`,
          () => `[${deeper('double')}, ${deeper('double')}]`,
          () => `${deeper('list')} + ${deeper('list')}`,
          () => `{${deeper('string')}: ${any()}}`,
        ])()
      default:
        return one([comparison, comparison, logic, membership, existence, method])(deeper, any)
    }
  }

  type Deeper = (next: string) => string

  function comparison(deeper: Deeper, any: () => string): string {
    const kind = one(['int', 'double', 'string', 'any'])
    const operand = () => (kind === 'any' ? any() : deeper(kind))
    return `${operand()} ${one(OPERATORS)} ${operand()}`
  }

  function logic(deeper: Deeper): string {
    return chance(0.3) ? `!${deeper('bool')}` : `${deeper('bool')} ${one(['&&', '||'])} ${deeper('bool')}`
  }

  function membership(deeper: Deeper, any: () => string): string {
    return `${any()} in ${deeper('list')}`
  }

  function existence(_: Deeper, any: () => string): string {
    return call('has', `has(${chance(0.5) ? one(words.wrong) : any()})`, 'bool')
  }

  function method(deeper: Deeper, any: () => string): string {
    if (chance(0.3)) {
      const name = one(['startsWith', 'endsWith', 'contains', 'matches', 'size', 'estimate'])
      return call(name, `${deeper('string')}.${name}(${deeper('string')})`, 'bool')
    }
    const name = one(['exists', 'all', 'exists_one', 'map', 'filter'])
    const variable = one(['x', 'y', 'ctx', 'constructor'])
    const condition = chance(0.5) ? deeper('bool') : `${variable} ${one(OPERATORS)} ${any()}`
    return call(name, `${deeper('list')}.${name}(${variable}, ${condition})`, 'bool')
  }

  /** What is written, mostly where the language has the function. */
  function call(name: string, written: string, wanted: string): string {
    return words.functions.includes(name) || chance(0.02) ? written : leaf(wanted)
  }

  const text = of(type, 1 + Math.floor(rng.uniform() * 4))
  if (!chance(0.04)) return text
  const at = Math.floor(rng.uniform() * text.length)
  return `${text.slice(0, at)}${one(['', '.', '(', ']', "'", '?', ' ', '\\', '&', '\u0000', '∑', '1'])}${text.slice(at + 1)}`
}
