import type { Resource } from '../../repo/resource.ts'
import { byCodeUnit } from '../opening/found-files.ts'
import { invalid, type Opened, requireResource } from '../opening/repository.ts'

/** The Models of some names, or all by name. One whose own file is of the wrong shape stops the command; other errors do not. */
export function requireModels(opened: Opened, names: readonly string[]): readonly Resource<'Model'>[] {
  const { repository } = opened
  if (names.length > 0) return names.map(name => requireResource(opened, 'Model', name))
  const misshapen = repository.misshapen.filter(({ kind }) => kind === 'Model').map(({ file }) => file)
  if (misshapen.length > 0) throw invalid(opened, [...new Set(misshapen)])
  const all = repository.all('Model')
  // Of none it is said what there could be.
  if (all.length === 0) return [requireResource(opened, 'Model', undefined)]
  return [...all].sort((a, b) => byCodeUnit(a.name, b.name))
}
