import type { OwnPackage } from '../host.ts'
import type { TextFile } from './template.ts'

/** Which copy of this dap a repository installs. */
export interface Pin {
  readonly integrity: string | undefined
  /** The tarball's path in the repository; absent where the version in the registry is meant. */
  readonly path?: string
}

/**
 * The repository's `package.json` and `package-lock.json`. The lock is the one that dap was tested with: its packages lie below a root, and
 * find each other there just as well when dap is not the root but one of them. It says the same as npm's own would, and needs no network.
 */
export function pinFiles(
  project: string,
  { manifest, locked }: Pick<OwnPackage, 'manifest' | 'locked'>,
  { integrity, path }: Pin,
): TextFile[] {
  const { name, version, license, dependencies, bin, engines } = manifest
  const resolved = path === undefined ? undefined : `file:${path}`
  const root = { dependencies: { [name]: resolved ?? version }, engines }
  const packages = {
    ...locked,
    [`node_modules/${name}`]: { version, resolved, integrity, license, dependencies, bin, engines },
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  return [
    file('package.json', { name: project, private: true, ...root }),
    file('package-lock.json', {
      ...{ name: project, lockfileVersion: 3, requires: true },
      packages: { '': { name: project, ...root }, ...Object.fromEntries(sorted) },
    }),
  ]
}

const file = (path: string, content: object): TextFile => ({ path, text: `${JSON.stringify(content, null, 2)}\n` })
