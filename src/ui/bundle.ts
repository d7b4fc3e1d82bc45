import type { TextContext } from '../command.ts'
import type { BundleResult } from '../results.ts'

export function bundleResultText(result: BundleResult, { style }: TextContext): string {
  const { path, digest, policy, snapshot, migrated } = result
  const list = (names: readonly string[]) => (names.length === 0 ? 'none' : names.join(', '))
  return [
    path,
    `${style.dim('bundle  ')}  ${digest}`,
    `${style.dim('policy  ')}  ${policy.name}  ${policy.digest}`,
    `${style.dim('snapshot')}  ${snapshot === null ? 'none: nothing has been learnt yet' : `${snapshot.path}  ${snapshot.digest}`}`,
    ...(migrated === undefined
      ? []
      : [`${style.dim('migrated')}  new actions: ${list(migrated.added)}; forgotten: ${list(migrated.removed)}`]),
  ].join('\n')
}
