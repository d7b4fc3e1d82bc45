import type { TextContext } from '../command.ts'

/** What `dap bundle --json` prints. */
export interface BundleResult {
  readonly schema: 'dap.bundling/v1'
  /** Of the bundle's file, relative to the working folder. */
  readonly path: string
  readonly digest: string
  readonly policy: { readonly name: string; readonly digest: string }
  /** The snapshot in the bundle; null where nothing has been learnt yet. */
  readonly snapshot: { readonly path: string; readonly digest: string } | null
  /** Where the snapshot was of other actions (`--migrate`): those that start from nothing, and those that were forgotten. */
  readonly migrated?: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

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
