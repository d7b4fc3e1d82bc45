import { basename, resolve } from 'node:path'
import type { Diagnostic } from '../../diagnostics.ts'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { isInside } from '../../paths.ts'
import { displayPath, type Opened } from '../opening/repository.ts'

/** A resource in JSON is not large. */
const MAX_BYTES = 1024 * 1024

/** Git's own and dap's own, and what editors and macOS leave beside a file that is open or copied. */
const NOBODYS = /^\.(git|dap)$|^\.[#_]|^\.DS_Store$/

/** The key that every resource begins with, in YAML or JSON. */
const RESOURCE = /(?:^|[{,])\s*["']?apiVersion["']?\s*:\s*["']?dap\//m

/**
 * A warning for each file in the Project's folders that nobody reads, though it may be meant to be a resource: it is called as one, and
 * hidden, or is JSON. In the root itself, where all sorts of files are, it must also say what a resource says.
 */
export async function passedOverDiagnostics(host: Host, opened: Opened): Promise<Diagnostic[]> {
  const { root, repository } = opened
  const onlyResources = !repository.project.folders.some(folder => resolve(root, folder) === root)
  const warnings: Diagnostic[] = []
  for (const path of await candidates(host, opened)) {
    if (!onlyResources && !(await isResource(host, path))) continue
    const file = displayPath(root, path)
    const hidden = file.split('/').find(name => name.startsWith('.'))
    warnings.push({
      severity: 'warning',
      code: 'file',
      message: hidden === undefined ? 'JSON is passed over' : `what is called \`${hidden}\` is passed over`,
      file,
      line: 0,
      column: 0,
      length: 1,
      hint: 'resources are in files called .yaml or .yml, whose names and folders do not begin with a dot',
    })
  }
  return warnings
}

/** Files that are called as resources may be, and are read at no other path; sorted. */
async function candidates(host: Host, { passedOver, roots, sources, data }: Opened): Promise<string[]> {
  const found: string[] = []
  const known = new Set([...sources, ...data].map(({ real }) => real))
  const look = async (path: string): Promise<void> => {
    const real = await host.files.real(path).catch(() => '')
    if (NOBODYS.test(basename(path)) || known.has(real) || !roots.some(root => isInside(root, real))) return
    known.add(real)
    if (!(await host.files.isFolder(path))) {
      if (/\.(ya?ml|json)$/i.test(path)) found.push(path)
      return
    }
    const { files, hidden } = await host.files.walk(path, roots)
    for (const file of files) await look(file.path)
    for (const each of hidden) await look(each)
  }
  for (const path of passedOver) await look(path)
  return found.sort()
}

async function isResource(host: Host, path: string): Promise<boolean> {
  try {
    return RESOURCE.test(await host.files.read(path, MAX_BYTES))
  } catch (error) {
    if (error instanceof DapError) return false
    throw error
  }
}
