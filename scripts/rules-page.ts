/** The page of what CEL rules may read: `docs/reference/rules.md`. */
import { changeTypes, contextTypes, resultTypes } from './cel-types.ts'
import { anchor, code, item, NOTE, prose, wrapped } from './markdown.ts'
import { find, type Schemas } from './schema-files.ts'

const ABOUT =
  'Rules are expressions of [CEL](https://cel.dev), checked before anything runs. A rule that reads a number which could not be computed, ' +
  'or a candidate or an estimate that is refused, fails, and says so.'

const CONTEXT =
  'An `eligible` rule of a [Policy](policy.md#actionspec) and a term of a [Scenario](scenario.md#termspec) read the fields of the context as ' +
  '`ctx.NAME`, with the type that the Policy gives them:'

const GATES =
  'A gate of an [Evaluation](evaluation.md#spec) reads what is said of a candidate, and of the difference of two. Where there are three ' +
  'candidates or more, `lower` and `upper` of a lift or a difference are the bounds that hold for all of them at once.'

const EXPECTATIONS =
  'An expectation of a [Scenario](scenario.md#spec) reads what is said of a policy, and of its difference to the first.'

const PLANS =
  'A rule of a repository, a file of `rules/`, reads what a plan changes, `change`, and the name of the Environment, `environment`. ' +
  '[ci.md](../ci.md#rules-about-plans) has some.'

export function rulesPage(schemas: Schemas): string {
  const types = { ...resultTypes(schemas), ...changeTypes(schemas) }
  const type = (name: string) =>
    name.replace(/\w+/g, word => (word in types ? `[${word}](#${anchor(word)})` : word)).replace(/</g, '\\<')
  const gives = (calls: Readonly<Record<string, string>>) =>
    Object.entries(calls)
      .map(([call, result]) => item(`${code(call)}: ${type(result)}`))
      .join('\n')
  const sections = Object.entries(types).map(([name, { file, definition, fields }]) => {
    const { properties = {} } = find(`#/$defs/${definition}`, file, schemas)
    const about = `${definition} of a [${file.startsWith('plan') ? 'plan' : 'result'}](${file.replace('.schema.json', '.md')}#${anchor(definition)}).`
    const lines = Object.entries(fields).map(([field, of]) => {
      const { description = '' } = properties[field]
      return item(`**${code(field)}**: ${type(of)}`, prose(description))
    })
    return `## ${name}\n\n${about}\n\n${lines.join('\n')}`
  })
  return `${[
    NOTE,
    '# What rules read',
    wrapped(ABOUT),
    '[All pages](README.md)',
    '## Context',
    wrapped(CONTEXT),
    Object.entries(contextTypes(schemas))
      .map(([of, cel]) => item(`${code(of)}: ${code(cel)}`))
      .join('\n'),
    '## Gates',
    wrapped(GATES),
    gives({
      "candidate('new')": 'Candidate',
      "candidate('new').estimate('dr')": 'Estimate',
      "difference('new', 'old')": 'Contrast',
      "difference('new', 'old').estimate('dr')": 'ContrastEstimate',
    }),
    '## Expectations',
    wrapped(EXPECTATIONS),
    gives({ "policy('new')": 'Policy', "difference('new')": 'Difference' }),
    '## Plans',
    wrapped(PLANS),
    `${item(`${code('change')}: ${type('PlannedChange')}`)}\n${item(`${code('environment')}: ${code('string')}`)}`,
    ...sections,
  ].join('\n\n')}\n`
}
