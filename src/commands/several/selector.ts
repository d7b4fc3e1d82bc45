/** Selectors of labels, as Kubernetes has them: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
import { UsageError } from '../../errors.ts'

export type Labels = Readonly<Record<string, string>>

/** Do labels fulfil it? */
export type Selector = (labels: Labels) => boolean

const KEY = '[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?'

/** A condition: a key, and perhaps an operator with its value or values. */
const CONDITION = new RegExp(
  `^(?:(?<not>!)\\s*)?(?<key>${KEY})(?:\\s*(?<operator>==?|!=)\\s*(?<value>[^\\s,()=!]*)|\\s+(?<set>in|notin)\\s*\\((?<values>[^()]*)\\))?$`,
)

/** `team=shop,stage!=old`, `team in (shop, play)`, `team notin (x)`, `team`, `!team`; a comma is an "and". A UsageError for anything else. */
export function parseSelector(text: string): Selector {
  // A comma between parentheses is one between values.
  const conditions = text.split(/,(?![^(]*\))/).map(each => conditionOf(each.trim(), text))
  return labels => conditions.every(holds => holds(labels))
}

function conditionOf(text: string, whole: string): Selector {
  const { not, key, operator, value, set, values } = CONDITION.exec(text)?.groups ?? {}
  if (key === undefined || (not !== undefined && (operator ?? set) !== undefined)) {
    throw new UsageError(
      `\`${whole}\` is no selector: ${text === '' ? 'a condition is missing' : `\`${text}\` is no condition`}`,
      {
        hint: 'such as `team=shop`, `team!=shop`, `team in (shop,play)`, `team` or `!team`; a comma is an "and"',
      },
    )
  }
  const labelled = (labels: Labels) => Object.hasOwn(labels, key)
  if (operator === undefined && set === undefined) return labels => labelled(labels) === (not === undefined)
  const wanted = set === undefined ? [value] : values.split(',').map(each => each.trim())
  const isWanted = (labels: Labels) => labelled(labels) && wanted.includes(labels[key])
  // What has no such label differs from every value.
  return operator === '!=' || set === 'notin' ? labels => !isWanted(labels) : isWanted
}
