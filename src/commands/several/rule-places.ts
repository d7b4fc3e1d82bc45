import { createLocator } from '../../repo/locate.ts'
import type { Resource } from '../../repo/resource.ts'
import type { RuleResult } from '../../results.ts'
import type { FindingPlace } from '../../ui/formats/report.ts'
import type { Opened } from '../opening/repository.ts'

/** Where the rules of a list that do not hold stand in the file of their resource, by id. */
export function rulePlaces(
  { sources }: Opened,
  { file, index, spec }: Resource<'Scenario' | 'Evaluation'>,
  rules: readonly RuleResult[],
): ReadonlyMap<string, FindingPlace> {
  const failed = rules.filter(({ passed }) => !passed)
  const text = sources.find(({ path }) => path === file)?.text
  if (failed.length === 0 || text === undefined) return new Map()
  const [list, declared] = 'expect' in spec ? (['expect', spec.expect] as const) : (['gates', spec.gates] as const)
  const locator = createLocator(text)
  return new Map(
    failed.map(({ id }) => {
      const path = ['spec', list, declared.findIndex(each => each.id === id), 'expr']
      const { line, column, length } = locator.fault(index, { code: 'semantic', message: '', path })
      return [id, { file, region: { line, column, length } }]
    }),
  )
}
