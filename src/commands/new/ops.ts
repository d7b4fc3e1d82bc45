import { join, resolve } from 'node:path'
import { DapError, UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { isInside } from '../../paths.ts'
import type { Style } from '../../ui/style.ts'
import { filesBelow } from '../opening/found-files.ts'
import { displayPath, findRoot, openRepository } from '../opening/repository.ts'

/** A dashboard, alerts and their tests, written where operators can take them from. */
export interface OpsWritten {
  /** Relative to the working folder. */
  readonly files: readonly string[]
}

/** Writes `templates/_ops` into a folder, all of it or nothing: what somebody has edited is theirs. */
export async function writeOps(host: Host, out: string | undefined): Promise<OpsWritten> {
  const folder = await folderOf(host, out)
  const source = join(host.packageRoot, 'templates', '_ops')
  const found = await filesBelow(host, source, [], () => true)
  const files = await Promise.all(
    found.map(async ({ path }) => ({
      path: join(folder, displayPath(source, path)),
      text: await host.files.read(path),
    })),
  )
  const edited: string[] = []
  for (const { path, text } of files)
    if ((await host.files.exists(path)) && (await host.files.read(path)) !== text) edited.push(path)
  if (edited.length > 0) {
    const names = edited.map(path => `\`${displayPath(host.cwd, path)}\``).join(', ')
    throw new DapError(`${names} ${edited.length === 1 ? 'is' : 'are'} there already, and different`, {
      hint: 'nothing was written; --out DIR names another folder, to compare',
    })
  }
  for (const { path, text } of files) await host.files.write(path, text)
  return { files: files.map(({ path }) => displayPath(host.cwd, path)) }
}

/** The folder that is named, else `ops` in the repository; nobody may look for resources in it. */
async function folderOf(host: Host, out: string | undefined): Promise<string> {
  const around = out === undefined ? undefined : await findRoot(host)
  if (out !== undefined && around === undefined) return resolve(host.cwd, out)
  const { root, repository } = await openRepository(host, around)
  const folder = out === undefined ? join(root, 'ops') : resolve(host.cwd, out)
  const searched = repository.project.folders.find(each => isInside(resolve(root, each), folder))
  if (searched === undefined) return folder
  throw new UsageError(`\`${out ?? 'ops'}\` lies in \`${searched}\`, where dap.yaml has resources looked for`, {
    hint: '--out DIR names a folder that is not in `spec.folders`',
  })
}

export const opsText = ({ files }: OpsWritten, style: Style): string =>
  `${files.join('\n')}\nnext: give them to Grafana and Prometheus; README.md there says how, ${style.cyan('promtool test rules')} checks edits`
