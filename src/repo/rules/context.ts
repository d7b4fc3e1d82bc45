import type { ContextField, PolicySpec } from '../../kinds.ts'
import { createContextCheck } from '../../policy/context.ts'
import type { Fault, Path } from '../fault.ts'
import { semantic } from './common.ts'

/** Bounds that no value can keep, and defaults that break their own field. */
export function* contextRules(fields: PolicySpec['context'], at: Path): Generator<Fault> {
  for (const [name, field] of Object.entries(fields)) {
    const path = [...at, name]
    let sound = true
    for (const fault of boundRules(field, path)) {
      sound = false
      yield fault
    }
    if (!sound || field.default === undefined) continue
    const check = createContextCheck({ [name]: { ...field, default: undefined } as ContextField })
    const checked = check({ [name]: field.default })
    if ('faults' in checked) {
      for (const { message } of checked.faults.slice(0, 1)) {
        yield semantic(
          [...path, 'default'],
          `the default of \`${name}\` ${message}`,
          'give another default, or take it out',
        )
      }
    }
  }
}

function* boundRules(field: ContextField, path: Path): Generator<Fault> {
  if ((field.type === 'number' || field.type === 'integer') && field.minimum! > field.maximum!) {
    yield semantic(
      [...path, 'minimum'],
      `\`minimum\` ${field.minimum} is more than \`maximum\` ${field.maximum}`,
      'swap them, or correct one of them',
    )
  }
  if (field.type === 'array' && field.minItems !== field.maxItems) {
    yield semantic(
      [...path, 'maxItems'],
      `a vector has one length, but \`minItems\` is ${field.minItems} and \`maxItems\` ${field.maxItems}`,
      'write the same number at both',
    )
  }
  if (field.type === 'string' && field.enum !== undefined && field.maxLength !== undefined) {
    const long = field.enum.findIndex(value => value.length > field.maxLength!)
    if (long !== -1)
      yield semantic(
        [...path, 'enum', long],
        `\`${field.enum[long]}\` is longer than \`maxLength\` ${field.maxLength}`,
        'take out `maxLength`: the enum says all that the value can be',
      )
  }
}
