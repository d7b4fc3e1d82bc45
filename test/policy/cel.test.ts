import { celEnv, parse, plan } from '@bufbuild/cel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { type CelFault, type ContextValues, compileContextRule } from '../../src/policy/cel.ts'
import { CONTEXT_FIELDS } from '../support/rule-results.ts'

const fields = CONTEXT_FIELDS
const context: ContextValues = { level: 12, spend: 6, platform: 'ios', name: 'x', vip: true, taste: [1, 2] }

function run(expr: string, values: ContextValues = context): boolean {
  const rule = compileContextRule(expr, fields, 'bool')
  if ('fault' in rule) throw new Error(rule.fault.message)
  return rule.run(values)
}

function fault(expr: string, result: 'bool' | 'double' = 'bool'): CelFault | undefined {
  const rule = result === 'bool' ? compileContextRule(expr, fields, 'bool') : compileContextRule(expr, fields, 'double')
  return 'fault' in rule ? rule.fault : undefined
}

describe('compileContextRule', () => {
  it.each([
    ['ctx.level >= 10', true],
    ['ctx.level >= 13', false],
    ['ctx.spend > 5', true],
    ['ctx.spend == 6', true],
    ['6 == ctx.spend', true],
    ['ctx.level != 12.0', false],
    ["ctx.level >= 10 && ctx.platform == 'android'", false],
    ["ctx.platform in ['ios', 'android']", true],
    ["ctx['level'] > 3", true],
    ['ctx.taste[1] > 1', true],
    ['ctx.taste.exists(t, t > 1.5)', true],
    ["ctx.name.startsWith('x') ? ctx.vip : false", true],
    ["string(ctx.level) == '12'", true],
    ['size(ctx.taste) == 2', true],
  ])('gives `%s` the value %s', (expr, expected) => {
    expect(run(expr)).toBe(expected)
  })

  it('converts an int result where a number is wanted', () => {
    const rule = compileContextRule('ctx.level * 2', fields, 'double')
    expect('run' in rule && rule.run(context)).toBe(24)
  })

  it.each([
    ['ctx.levle >= 3', 4, '`ctx` has no field `levle`', 'did you mean `level`?'],
    ["ctx['levle'] >= 3", 0, '`ctx` has no field `levle`', 'did you mean `level`?'],
    ['true && level > 3', 8, 'unknown name `level`', 'write `ctx.level`'],
    [
      'ctx.level * 0.5 > 1.0',
      0,
      '`*` does not work between an int and a double',
      'write whole numbers as `1.0`, and `double(x)` to convert an int',
    ],
    ['ctx.platform == 3', 0, '`==` does not work between a string and an int', "if it is text, quote it: `'3'`"],
    ["ctx.platform == 'ioss'", 16, '`ctx.platform` is never `ioss`', 'did you mean `ios`?'],
    ["'ioss' != ctx.platform", 0, '`ctx.platform` is never `ioss`', 'did you mean `ios`?'],
    ["ctx.platform in ['ios', 'web']", 24, '`ctx.platform` is never `web`', 'its values are `ios`, `android`'],
    ['ctx.level >=', 12, 'the rule ends too early', 'write the rest of it'],
    ['  ', 0, 'the rule is empty', "a rule looks like `ctx.age >= 16 && ctx.platform != 'web'`"],
    ['ctx.level = 3', 10, 'CEL has no `=`', 'write `==` to compare'],
    [
      'ctx.level',
      0,
      'the rule must give true or false, but gives an int',
      'compare it with something, for example `ctx.level > …`',
    ],
    ['ctx.taste[2] > 0.0', 10, 'the vector has 2 items, the last is 1', 'the first item has the index 0'],
    ['ctx.taste[-1] > 0.0', 10, 'the vector has 2 items, the last is 1', 'the first item has the index 0'],
    ["ctx.name.startWith('i')", 9, 'rules have no function `startWith`', 'did you mean `startsWith`?'],
    ["ctx[ctx.name] == 'x'", 0, '`ctx` can only be used as `ctx.<field>`', 'for example `ctx.level`'],
  ])('refuses `%s` at %i: %s', (expr, offset, message, hint) => {
    expect(fault(expr)).toEqual({ message, offset, hint })
  })

  it.each([
    [
      'has(ctx.country)',
      8,
      '`ctx` has no field `country`',
      'it has `level`, `spend`, `platform`, `name`, `vip`, `taste`',
    ],
    ['has(ctx.levle)', 8, '`ctx` has no field `levle`', 'did you mean `level`?'],
    ['has(ctx.constructor)', 8, '`ctx` has no field `constructor`', undefined],
    [
      'has(ctx.platform.x)',
      4,
      '`has` takes a field of the context, not `ctx.platform.x`',
      'for example `has(ctx.level)`',
    ],
    ['has(ctx)', 4, 'this is not what the function takes', undefined],
    ['[].exists(x, x > 1)', 0, 'nothing says of what type the items of `[]` are', 'write at least one item'],
    ['[][0] > 1', 0, 'nothing says of what type the items of `[]` are', 'write at least one item'],
    ['[[]][0][0] > 1', 1, 'nothing says of what type the items of `[]` are', undefined],
    ['[][0] in [1]', 3, 'the list is empty', 'write its items'],
    ['ctx.level > 9223372036854775808', 12, 'this is beyond the whole numbers', undefined],
    ['ctx.level > -9223372036854775809', 13, 'this is beyond the whole numbers', undefined],
    ['ctx.level > 9223372036854775807 + 1', 12, 'this has no value: integer overflow: 9223372036854775808', undefined],
    ['ctx.level > int(1e30)', 12, 'this is beyond the whole numbers', undefined],
    ['ctx.level / 0 > 1', 12, 'division by zero', 'write a number that is not 0'],
    ['ctx.level % (2 - 2) > 1', 13, 'modulo by zero', undefined],
    ['ctx.spend / 0.0 > 1.0', 12, 'division by zero', undefined],
    ['true || 1 / 0 > 1', 12, 'division by zero', undefined],
    ['[ctx.level][1] > 1', 12, 'the list has 1 item', 'the first item has the index 0'],
    ["ctx.level > int('x')", 12, 'this has no value: cannot convert to int (int())', 'write its value, or take it out'],
    ['ctx.spend > 1e400', 12, 'a number that is too large', 'numbers end near 1.8e308'],
    ["ctx.platform in ['ios' 'android']", 23, "a comma is missing before `'android'`", "write `, 'android'`"],
    ['!ctx.level', 0, '`!` does not work on an int', undefined],
    ["ctx.name[0] == 'x'", 0, 'a string has neither fields nor items', undefined],
    ['ctx.level > 3 and ctx.vip', 14, 'CEL has no `and`', 'write `&&`'],
    ['ctx.level <> 3', 10, 'CEL has no `<>`', 'write `!=`'],
    ['not ctx.vip', 0, 'CEL has no `not`', 'write `!`'],
    ["ctx.name == 'and' && ctx.level => 3", 31, 'CEL has no `=>`', 'write `>=`'],
    ['(ctx.level > 3', 14, 'the rule ends too early', 'end it with `)`'],
    ["ctx.level >= '16'", 0, '`>=` does not work between an int and a string', 'write `16` without quotes'],
  ])('finds what could never have a value: `%s` at %i: %s', (expr, offset, message, hint) => {
    expect(fault(expr)).toMatchObject({ message, offset, ...(hint === undefined ? {} : { hint }) })
  })

  it('takes the borders of the whole numbers', () => {
    for (const expr of ['ctx.level < 9223372036854775807', 'ctx.level > -9223372036854775808'])
      expect(run(expr)).toBe(true)
  })

  it('knows fields by their names alone, whatever an object has besides', () => {
    const odd: PolicySpec['context'] = JSON.parse(
      '{ "constructor": { "type": "boolean" }, "toString": { "type": "integer" } }',
    )
    const rule = compileContextRule('ctx.constructor && has(ctx.toString) && ctx.toString == 3', odd, 'bool')
    expect('run' in rule && rule.run(JSON.parse('{ "constructor": true, "toString": 3 }'))).toBe(true)
  })

  it('refuses a result that is no number where a number is wanted', () => {
    expect(fault('ctx.vip', 'double')?.message).toBe('the rule must give a number, but gives a bool')
  })

  it.each([
    ['a regular expression', "ctx.name.matches('(a+)+$')"],
    ['a switched-off type check', 'dyn(ctx.level) > 1'],
    ['nested macros', 'ctx.taste.exists(a, ctx.taste.all(b, a > b))'],
    ['a deep expression', `${'('.repeat(40)}true${')'.repeat(40)}`],
    ['many nodes', `1${' + 1'.repeat(400)} > 1`],
    ['a long expression', `ctx.name == '${'x'.repeat(3000)}'`],
    ['the prototype', "ctx.__proto__ == 'x'"],
    ["an object's own methods", "ctx.constructor == 'x'"],
  ])('refuses %s', (_, expr) => {
    expect(fault(expr)).toBeDefined()
  })

  it('takes 2000 characters, lists of 100 entries and 200 nodes, and no longer text or list', () => {
    const text = (length: number) => `ctx.name == '${'x'.repeat(length - 14)}'`
    const list = (length: number) => `ctx.level in [${Array.from({ length }, (_, i) => i)}]`
    for (const expr of [text(2000), list(100), `${list(100)} || ${list(100)}`]) expect(fault(expr)).toBeUndefined()
    expect(fault(text(2001))).toEqual({
      message: 'the rule is longer than 2000 characters',
      hint: 'split it, or write it in a simpler way',
    })
    expect(fault(list(101))?.message).toBe('the rule is too large or too deeply nested')
  })

  it('reads calls of four arguments, of which no function has so many, and no longer calls', () => {
    const call = (length: number) => `size(${Array.from({ length }, () => 'ctx.name').join(', ')}) > 0`
    expect(fault(call(4))?.message).toBe('there is no `size(string, string, string, string)`')
    expect(fault(call(5))?.message).toBe('the rule is too large or too deeply nested')
  })

  it('computes constants of any size that a rule can have', () => {
    const ones = (terms: number) => Array.from({ length: terms }, () => '1').join(' + ')
    expect(fault(`ctx.level / (${ones(140)} - 140) > 1`)).toMatchObject({ message: 'division by zero', offset: 13 })
    expect(fault(`ctx.level / (${ones(140)} - 139) > 1`)).toBeUndefined()
  })

  it('throws a DapError where a rule has no value', () => {
    expect(() => run('ctx.level / (ctx.level - 12) > 1')).toThrow('has no value: division by zero')
  })

  it('agrees with another implementation of CEL on generated contexts', () => {
    const rules = [
      'ctx.level >= 10',
      'ctx.spend > 5',
      'ctx.spend == 3',
      "ctx.level >= 20 && ctx.platform == 'ios'",
      '!(ctx.vip) || ctx.spend * 2.0 <= double(ctx.level)',
      "ctx.platform in ['ios'] ? ctx.level % 2 == 0 : ctx.taste[0] < ctx.taste[1]",
      "ctx.name.contains('a') || ctx.name.startsWith('b') || size(ctx.name) > 4",
      'ctx.taste.all(t, t > 0.0) != ctx.vip',
      'ctx.level - 3 < 0 && -ctx.spend < 1.5',
      "string(ctx.level) + ctx.name != '1a'",
    ]
    const contexts = fc.record({
      level: fc.integer({ min: -50, max: 50 }),
      spend: fc.oneof(fc.double({ noNaN: true, min: -10, max: 10 }), fc.integer({ min: -5, max: 5 })),
      platform: fc.constantFrom('ios', 'android'),
      name: fc.string({ maxLength: 8 }),
      vip: fc.boolean(),
      taste: fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })),
    })
    for (const expr of rules) {
      const compiled = compileContextRule(expr, fields, 'bool')
      if ('fault' in compiled) throw new Error(`${expr}: ${compiled.fault.message}`)
      const oracle = plan(celEnv(), parse(expr))
      fc.assert(
        fc.property(contexts, values => {
          const ctx = new Map<string, unknown>(Object.entries({ ...values, level: BigInt(values.level) }))
          expect(compiled.run(values)).toBe(oracle({ ctx: ctx as never }))
        }),
        { numRuns: 200 },
      )
    }
  })
})
