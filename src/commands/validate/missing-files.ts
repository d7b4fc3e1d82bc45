import { resolve } from 'node:path'
import type { Diagnostic } from '../../diagnostics.ts'
import { DapError, UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { DatasetSpec, DeploymentSpec, EvaluationSpec } from '../../kinds.ts'
import { isInside } from '../../paths.ts'
import type { Path } from '../../repo/fault.ts'
import { located } from '../opening/located.ts'
import type { Opened } from '../opening/repository.ts'

/** A file that a resource names, and where it does so. */
interface Named {
  readonly file: string
  readonly path: Path
  /** In words. */
  readonly what: string
  /** How it comes to be there, as a hint. */
  readonly hint: string
  /** Of data, which a folder or a glob may stand for. */
  readonly format?: DatasetSpec['format']
}

/**
 * A warning for each file that a resource names and that is not there: it may be fetched before it is needed, or its name is mistyped. What
 * lies where nothing may be read is not looked for, nor are logs of the format `dap`, which the first decisions write.
 */
export async function missingFileDiagnostics(host: Host, opened: Opened): Promise<Diagnostic[]> {
  const { repository } = opened
  const named = [
    ...repository.all('Dataset').map(resource => [resource, [...ofDataset(resource.spec)]] as const),
    ...repository.all('Evaluation').map(resource => [resource, [...ofEvaluation(resource.spec)]] as const),
    ...repository.all('Deployment').map(resource => [resource, [...ofDeployment(resource.spec)]] as const),
  ]
  const warnings: Diagnostic[] = []
  for (const [resource, files] of named) {
    for (const each of files) {
      const message = await whyMissing(host, opened, each)
      if (message === undefined) continue
      const { path, hint } = each
      warnings.push(await located(opened, resource, { severity: 'warning', code: 'file', message, hint, path }))
    }
  }
  return warnings
}

function* ofDataset({ files, rewards, format }: DatasetSpec): Generator<Named> {
  if (format !== 'dap') yield* data(files, ['spec', 'files'], format)
  if (rewards !== undefined) yield* data(rewards.files, ['spec', 'rewards', 'files'], rewards.format ?? format)
}

function* ofEvaluation({ candidates }: EvaluationSpec): Generator<Named> {
  for (const [i, candidate] of candidates.entries()) {
    const path = ['spec', 'candidates', i]
    if ('policy' in candidate && candidate.snapshot !== undefined) {
      yield snapshotAt(candidate.snapshot, [...path, 'snapshot'])
    } else if ('table' in candidate) {
      yield { file: candidate.table.file, path: [...path, 'table', 'file'], what: 'table', hint: RELATIVE }
    }
  }
}

function* ofDeployment({ snapshot }: DeploymentSpec): Generator<Named> {
  if (snapshot !== undefined) yield snapshotAt(snapshot, ['spec', 'snapshot'])
}

const RELATIVE = 'paths are relative to the folder of dap.yaml: mend the name, or fetch it before it is read'

function* data(files: readonly string[], path: Path, format: DatasetSpec['format']): Generator<Named> {
  for (const [i, file] of files.entries()) yield { file, path: [...path, i], what: 'data file', hint: RELATIVE, format }
}

function snapshotAt(file: string, path: Path): Named {
  return {
    file,
    path,
    what: 'snapshot',
    hint: '`dap train` writes snapshots; paths are relative to the folder of dap.yaml',
  }
}

/** Undefined where the file is there, or nobody may look. */
async function whyMissing(host: Host, opened: Opened, { file, what, format }: Named): Promise<string | undefined> {
  const place = resolve(opened.root, file)
  if (!opened.roots.some(root => isInside(root, place)) || (await host.files.exists(place))) return undefined
  if (format === undefined || !/[*?[]/.test(file)) return `there is no ${what} \`${file}\``
  const { findDataFiles } = await import('../reading/data-files.ts')
  try {
    await findDataFiles(host, opened, [file], format)
    return undefined
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof DapError)) throw error
    return error.message
  }
}
