import type { ContextField, DistributionSpec } from '../../kinds.ts'
import type { Fault, Path } from '../fault.ts'
import { described, list } from '../schema.ts'
import { known, semantic, sumHint } from './common.ts'

/** Is a distribution sound, and does it fit the field (undefined: one that only the world sees)? */
export function* distributionRules(
  distribution: DistributionSpec,
  field: ContextField | undefined,
  name: string,
  path: Path,
): Generator<Fault> {
  if ('categorical' in distribution) {
    const weights = Object.values(distribution.categorical)
    const sum = weights.reduce((a, b) => a + b, 0)
    if (Math.abs(sum - 1) > 1e-9) {
      yield {
        ...semantic(
          [...path, 'categorical'],
          `the weights sum to ${Number(sum.toPrecision(10))}, not to 1`,
          sumHint(distribution.categorical),
        ),
        on: 'key',
      }
    }
  }
  if ('uniform' in distribution && distribution.uniform.min > distribution.uniform.max) {
    yield semantic(
      [...path, 'uniform', 'min'],
      `\`min\` ${distribution.uniform.min} is more than \`max\` ${distribution.uniform.max}`,
      `write \`{ min: ${distribution.uniform.max}, max: ${distribution.uniform.min} }\``,
    )
  }
  if (field !== undefined) yield* fitRules(distribution, field, name, path)
}

function* fitRules(distribution: DistributionSpec, field: ContextField, name: string, path: Path): Generator<Fault> {
  const [type] = Object.keys(distribution)
  const at = [...path, type]
  const misfit = (): Fault => ({
    ...semantic(at, `\`${type}\` does not fit \`${name}\`, which is ${nounOf(field)}`, `use ${fitting(field)}`),
    on: 'key',
  })
  if ('constant' in distribution) {
    const { constant } = distribution
    if (!isValueOf(constant, field))
      yield semantic(
        at,
        `\`${name}\` is ${nounOf(field)}, and can't be ${described(constant)}`,
        `write ${possible(field)}`,
      )
    else if (field.type === 'string' && field.enum !== undefined)
      yield* known(String(constant), field.enum, `\`${name}\` value`, at)
  } else if ('categorical' in distribution) {
    if (field.type === 'array') yield misfit()
    for (const value of Object.keys(distribution.categorical)) {
      const place = [...at, value]
      if (field.type === 'string' && field.enum !== undefined)
        yield* known(value, field.enum, `\`${name}\` value`, place, 'key')
      else if (field.type === 'boolean') yield* known(value, ['true', 'false'], `\`${name}\` value`, place, 'key')
      else if ((field.type === 'number' || field.type === 'integer') && !isNumeric(value, field.type)) {
        yield {
          ...semantic(place, `\`${name}\` is ${nounOf(field)}, and \`${value}\` is none`, 'write a number as the key'),
          on: 'key',
        }
      }
    }
  } else if (field.type === 'string' || (field.type === 'boolean' && !('bernoulli' in distribution))) {
    yield misfit()
  }
}

function isValueOf(value: unknown, field: ContextField): boolean {
  if (field.type === 'array')
    return typeof value === 'number' || (Array.isArray(value) && value.length === field.maxItems)
  if (field.type === 'integer') return Number.isInteger(value)
  return typeof value === field.type
}

function isNumeric(text: string, type: 'number' | 'integer'): boolean {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  return type === 'integer' ? Number.isInteger(value) : Number.isFinite(value)
}

function nounOf(field: ContextField): string {
  if (field.type === 'string') return field.enum === undefined ? 'text' : 'an enum'
  if (field.type === 'array') return `a vector of ${field.maxItems} numbers`
  return { integer: 'a whole number', number: 'a number', boolean: 'true or false' }[field.type]
}

/** A value of a field, in words. */
function possible(field: ContextField): string {
  if (field.type === 'array') return `a list of ${field.maxItems} numbers, or one number for all of them`
  return field.type === 'string' && field.enum !== undefined ? `one of ${list(field.enum.slice(0, 10))}` : nounOf(field)
}

function fitting(field: ContextField): string {
  if (field.type === 'string') return '`categorical` or `constant`'
  return field.type === 'boolean' ? '`bernoulli`, `categorical` or `constant`' : 'a distribution of numbers'
}
