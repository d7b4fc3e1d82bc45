import { hash } from 'node:crypto'
import { join, relative } from 'node:path'
import {
  isArrowFunction,
  isAwaitExpression,
  isBigIntLiteral,
  isBinaryExpression,
  isCallExpression,
  isConditionalExpression,
  isExpressionStatement,
  isFunctionLikeDeclaration,
  isIfStatement,
  isImportDeclaration,
  isInterfaceDeclaration,
  isNewExpression,
  isNumericLiteral,
  isParenthesizedExpression,
  isPostfixUnaryExpression,
  isPrefixUnaryExpression,
  isPropertyAssignment,
  isReturnStatement,
  isTypeAliasDeclaration,
  isTypeNode,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { API, type Checker, TypeFlags } from 'typescript/unstable/sync'

/** A small change of the source that a test should notice. */
export interface Fault {
  /** `src/policy/draw.ts:27:11 border 'u < cumulated' -> 'u <= cumulated'` */
  readonly id: string
  readonly file: string
  /** What is replaced, in UTF-16 code units. */
  readonly start: number
  readonly end: number
  readonly replacement: string
}

type Operator =
  | 'border'
  | 'equality'
  | 'logic'
  | 'arithmetic'
  | 'negation'
  | 'number'
  | 'extreme'
  | 'statement'
  | 'sign'

interface Change {
  readonly operator: Operator
  /** What is shown before and after. */
  readonly shown: Node
  readonly start: number
  readonly end: number
  readonly replacement: string
}

/** Every fault of the files under these folders, as the compiler sees the project at `root`. */
export function faultsUnder(root: string, folders: readonly string[]): Fault[] {
  const api = new API({ cwd: root })
  try {
    const config = join(root, 'tsconfig.json')
    const [{ rootFiles, program, checker }] = api.updateSnapshot({ openProjects: [config] }).getProjects()
    return rootFiles
      .map(path => relative(root, path))
      .filter(file => folders.some(folder => file === folder || file.startsWith(`${folder}/`)))
      .flatMap(file => faultsOf(file, program.getSourceFile(join(root, file))!, checker))
  } finally {
    api.close()
  }
}

/**
 * `count` of them, as many of each file as its share. A fault's rank is its hash with the seed, so most of a sample stays when the code
 * changes.
 */
export function sample(faults: readonly Fault[], count: number, seed: string): Fault[] {
  const total = new Map<string, number>()
  for (const { file } of faults) total.set(file, (total.get(file) ?? 0) + 1)
  const seen = new Map<string, number>()
  return faults
    .map(fault => ({ fault, rank: hash('sha256', `${seed}/${fault.id}`) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ fault }) => {
      const before = seen.get(fault.file) ?? 0
      seen.set(fault.file, before + 1)
      return { fault, share: (before + 0.5) / total.get(fault.file)! }
    })
    .sort((a, b) => a.share - b.share)
    .slice(0, count)
    .map(({ fault }) => fault)
}

function faultsOf(file: string, source: SourceFile, checker: Checker): Fault[] {
  const faults: Fault[] = []
  const visit = (node: Node, inFunction: boolean): void => {
    if (doesNoWork(node)) return
    for (const { operator, shown, start, end, replacement } of changesOf(node, inFunction, checker)) {
      const { line, character } = source.getLineAndCharacterOfPosition(start)
      const from = shown.getStart()
      const before = source.text.slice(from, shown.end)
      const after = before.slice(0, start - from) + replacement + before.slice(end - from)
      const id = `${file}:${line + 1}:${character + 1} ${operator} '${oneLine(before)}' -> '${oneLine(after)}'`
      faults.push({ id, file, start, end, replacement })
    }
    node.forEachChild(child => visit(child, inFunction || isFunctionLikeDeclaration(node)))
  }
  visit(source, false)
  return faults
}

const oneLine = (text: string) => {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 90 ? `${line.slice(0, 90)}…` : line
}

/** Types, and what only a person reads. */
function doesNoWork(node: Node): boolean {
  return (
    isTypeNode(node) ||
    isInterfaceDeclaration(node) ||
    isTypeAliasDeclaration(node) ||
    isImportDeclaration(node) ||
    (isNewExpression(node) && node.expression.getText().endsWith('Error')) ||
    (isPropertyAssignment(node) && /^(message|hint|reason|noun)$/.test(node.name.getText()))
  )
}

function changesOf(node: Node, inFunction: boolean, checker: Checker): Change[] {
  const replace = (operator: Operator, part: Node, replacement: string, shown = node): Change => ({
    operator,
    shown,
    start: part.getStart(),
    end: part.end,
    replacement,
  })
  if (isBinaryExpression(node)) {
    const { left, operatorToken, right } = node
    const swap = SWAPS.get(operatorToken.getText())
    if (swap === undefined) return []
    const [operator, replacement] = swap
    if (operator === 'arithmetic' && !isNumeric(node, checker)) return []
    const swapped = replace(operator, operatorToken, replacement)
    return operator === 'logic' ? [swapped, ...negations(left), ...negations(right)] : [swapped]
  }
  if (isIfStatement(node)) return negations(node.expression)
  if (isConditionalExpression(node)) return negations(node.condition)
  if (isNumericLiteral(node) || isBigIntLiteral(node)) {
    return isInSize(node) ? [] : [replace('number', node, otherNumber(node.getText()), node.parent)]
  }
  if (isPrefixUnaryExpression(node) && node.operator === SyntaxKind.MinusToken) {
    return [replace('sign', node, node.operand.getText())]
  }
  if (isCallExpression(node)) {
    const other = EXTREMES.get(node.expression.getText())
    return other === undefined ? [] : [replace('extreme', node.expression, other)]
  }
  if (isReturnStatement(node) || isArrowFunction(node)) {
    const value = isArrowFunction(node) ? node.body : node.expression
    if (value === undefined || !isArithmetic(value, checker)) return []
    return [replace('arithmetic', value, `-(${value.getText()})`, value)]
  }
  return inFunction && isExpressionStatement(node) && hasEffect(node.expression)
    ? [replace('statement', node, ';')]
    : []
}

const SWAPS = new Map<string, readonly [Operator, string]>([
  ['<', ['border', '<=']],
  ['<=', ['border', '<']],
  ['>', ['border', '>=']],
  ['>=', ['border', '>']],
  ['===', ['equality', '!==']],
  ['!==', ['equality', '===']],
  ['&&', ['logic', '||']],
  ['||', ['logic', '&&']],
  ['+', ['arithmetic', '-']],
  ['-', ['arithmetic', '+']],
  ['*', ['arithmetic', '/']],
  ['/', ['arithmetic', '*']],
  ['+=', ['arithmetic', '-=']],
  ['-=', ['arithmetic', '+=']],
  ['*=', ['arithmetic', '/=']],
  ['/=', ['arithmetic', '*=']],
])

const EXTREMES = new Map([
  ['Math.min', 'Math.max'],
  ['Math.max', 'Math.min'],
])

/** The opposite of a condition that is no equality, whose opposite is a swap, and not made of others, which have their own. */
function negations(condition: Node): Change[] {
  if (isParenthesizedExpression(condition)) return negations(condition.expression)
  const swap = isBinaryExpression(condition) ? SWAPS.get(condition.operatorToken.getText())?.[0] : undefined
  if (swap === 'equality' || swap === 'logic') return []
  const not = isPrefixUnaryExpression(condition) && condition.operator === SyntaxKind.ExclamationToken
  const replacement = not ? condition.operand.getText() : `!(${condition.getText()})`
  return [{ operator: 'negation', shown: condition, start: condition.getStart(), end: condition.end, replacement }]
}

/** 0 and 1 for each other, the next of a small whole number, a threshold that is much too large for a tiny one, else too small a one. */
function otherNumber(text: string): string {
  if (text.endsWith('n')) return text === '0n' ? '1n' : `${BigInt(text.slice(0, -1).replaceAll('_', '')) + 1n}n`
  const value = Number(text.replaceAll('_', ''))
  if (value === 0 || value === 1) return String(1 - value)
  if (Number.isInteger(value)) return String(value <= 64 ? value + 1 : Math.round(0.4 * value))
  return String(Number((value <= 1e-4 ? 1e6 * value : 0.4 * value).toPrecision(6)))
}

/** In the length of a typed array: a longer one does as well. */
function isInSize({ parent }: Node): boolean {
  if (isBinaryExpression(parent) || isParenthesizedExpression(parent)) return isInSize(parent)
  return isNewExpression(parent) && /^(Float|Int|Uint)\d+Array$/.test(parent.expression.getText())
}

function isArithmetic(node: Node, checker: Checker): boolean {
  return (
    isBinaryExpression(node) &&
    SWAPS.get(node.operatorToken.getText())?.[0] === 'arithmetic' &&
    isNumeric(node, checker)
  )
}

/** Not the `+` of texts. */
function isNumeric(node: Node, checker: Checker): boolean {
  const type = checker.getTypeAtLocation(node)
  return type !== undefined && (type.flags & (TypeFlags.NumberLike | TypeFlags.BigIntLike)) !== 0
}

/** A call, an assignment or a step. */
function hasEffect(node: Node): boolean {
  if (isBinaryExpression(node)) return /^[^=!<>]*=$/.test(node.operatorToken.getText())
  if (isAwaitExpression(node)) return hasEffect(node.expression)
  return isCallExpression(node) || isPostfixUnaryExpression(node) || isPrefixUnaryExpression(node)
}
