import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { PROMOTION_RESULT_SCHEMA } from '../generated/names.ts'
import type { DeploymentSpec } from '../kinds.ts'
import { loadRepository } from '../repo/repository.ts'
import type { Resource } from '../repo/resource.ts'
import { documentText, withSpecField } from '../scaffold/spec-field.ts'
import { lineDiff } from '../ui/line-diff.ts'
import { table } from '../ui/table.ts'
import { type Opened, openRepository, requireResource, requireValid } from './opening/repository.ts'

interface Options {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly dryRun: boolean
}

interface FieldChange {
  readonly field: string
  readonly before: string | null
  readonly after: string | null
}

interface Promoted extends Options {
  /** From the repository's root. */
  readonly file: string
  readonly created: boolean
  readonly fields: readonly FieldChange[]
  readonly before: string
  readonly after: string
}

type Deployment = Resource<'Deployment'>

/**
 * What runs is promoted; how it runs is each environment's own: machines, traffic, and what must be proven first, of which a promotion
 * takes nothing away.
 */
const SAYS: Readonly<Record<keyof DeploymentSpec, 'what' | 'how'>> = {
  ...{ policy: 'what', snapshot: 'what' },
  ...{ environment: 'how', resources: 'how', endpoint: 'how', requestLog: 'how', rollout: 'how' },
  ...{ evidence: 'how', moved: 'how' },
}
const WHAT = (Object.keys(SAYS) as (keyof DeploymentSpec)[]).filter(field => SAYS[field] === 'what')

export const promoteCommand = defineCommand<Options, Promoted>({
  declare: command =>
    command
      .argument('<deployment>', 'name of the Deployment')
      .option('--from <env>', 'the Environment where it runs')
      .option('--to <env>', 'the Environment where it shall run')
      .option('--dry-run', 'show the change, and write nothing')
      .addHelpText(
        'after',
        `
Changes one file and no cloud: the policy and the snapshot of --from are written into the Deployment of --to, which keeps its
machines, its rollout and the evidence that it asks for. Where there is none yet, it is a copy.

Example:
  dap promote shop-offer --from staging --to prod
  git commit --all --message 'shop-offer goes to prod'

exit codes: 0 written, or it is so already, 1 the files would not be valid, 3 usage`,
      ),

  options([name], { from, to, dryRun }) {
    if (from === undefined || to === undefined) {
      throw new UsageError(`${from === undefined ? '--from' : '--to'} is missing`, { hint: '--from staging --to prod' })
    }
    if (from === to)
      throw new UsageError('--from and --to name the same Environment', { hint: '--from staging --to prod' })
    return { name, from: from as string, to: to as string, dryRun: dryRun === true }
  },

  async run(options, host) {
    const opened = await openRepository(host)
    for (const environment of [options.from, options.to]) requireResource(opened, 'Environment', environment)
    const source = requireDeployment(opened, options)
    const target = deploymentsOf(opened, options.to).find(({ name }) => name === options.name)
    requireValid(opened, [source.file, ...(target === undefined ? [] : [target.file])])
    const change = target === undefined ? copied(opened, source, options.to) : moved(opened, source, target)
    const { file, before, after } = change
    if (before !== after) {
      await requireStillValid(opened, file, after)
      const path = join(opened.root, file)
      if (target === undefined && (await host.files.exists(path))) {
        throw new DapError(`\`${file}\` exists already, and has no Deployment \`${options.name}\` of ${options.to}`, {
          hint: 'nothing was written; move it, or write the Deployment into it',
        })
      }
      if (!options.dryRun) await host.files.write(path, after)
    }
    return { ...options, ...change, created: target === undefined }
  },

  text({ name, from, to, file, created, fields, before, after, dryRun }, context) {
    const { style, columns } = context
    if (before === after) return `${name}: ${to} has what ${from} has already`
    const rows = fields.map(each => [`  ${each.field}`, `${each.before ?? 'none'} → ${each.after ?? 'none'}`])
    return [
      `${style.bold(name)}: ${from} → ${to}${dryRun ? ', not written' : ''}`,
      `${file}${created ? ': new' : ''}\n${table([{ title: '' }, { title: '' }], rows, context)
        .split('\n')
        .slice(1)
        .join('\n')}`,
      lineDiff(before, after, style, columns),
      dryRun ? 'nothing was written' : `next: commit it; ${style.cyan(`dap plan --env ${to}`)} shows what it comes to`,
    ].join('\n\n')
  },

  json: ({ name, from, to, file, created, fields, before, after, dryRun }) => ({
    ...{ schema: PROMOTION_RESULT_SCHEMA, deployment: name, from, to, file, created, fields },
    written: before !== after && !dryRun,
  }),
  exitCode: () => ExitCode.done,
})

const deploymentsOf = ({ repository }: Opened, environment: string): readonly Deployment[] =>
  repository.all('Deployment').filter(({ spec }) => spec.environment === environment)

function requireDeployment(opened: Opened, { name, from, to }: Options): Deployment {
  const there = deploymentsOf(opened, from)
  const found = there.find(each => each.name === name)
  if (found !== undefined) return found
  const names = there.map(each => each.name)
  const elsewhere = deploymentsOf(opened, to).some(each => each.name === name)
  throw new UsageError(`no Deployment \`${name}\` in the environment \`${from}\``, {
    hint:
      didYouMean(name, names) ??
      (elsewhere
        ? `\`${to}\` has it: is it --from ${to} --to ${from}?`
        : names.length === 0
          ? `\`dap new deployment ${name} --env ${from}\` adds it; \`dap validate\` says what is wrong with a broken one`
          : `one of ${names.map(each => `\`${each}\``).join(', ')}`),
  })
}

type Change = Pick<Promoted, 'file' | 'before' | 'after' | 'fields'>

const textOf = ({ sources }: Opened, file: string): string => {
  const source = sources.find(({ path }) => path === file)
  return source?.text ?? ''
}

const runs = ({ spec }: Deployment, field: keyof DeploymentSpec) => spec[field] as string | undefined

function moved(opened: Opened, source: Deployment, target: Deployment): Change {
  const { file, index } = target
  const before = textOf(opened, file)
  const fields = WHAT.filter(field => runs(source, field) !== runs(target, field)).map(field => ({
    field,
    before: runs(target, field) ?? null,
    after: runs(source, field) ?? null,
  }))
  let after = before
  for (const each of fields) after = edited(after, file, index, each.field, each.after ?? undefined)
  return { file, before, after, fields }
}

/** A new file beside those of its environment; what it was called before is nothing of the new one's. */
function copied(opened: Opened, source: Deployment, to: string): Change {
  const from = source.spec.environment
  const file = source.file.split('/').includes(from)
    ? source.file
        .split('/')
        .map(part => (part === from ? to : part))
        .join('/')
    : `deployments/${to}/${source.name}.yaml`
  const alone = documentText(textOf(opened, source.file), source.index)
  if (alone === undefined) throw notEdited(source.file)
  const named = edited(alone, source.file, 0, 'environment', to)
  const after = source.spec.moved === undefined ? named : edited(named, source.file, 0, 'moved', undefined)
  const fields = WHAT.filter(field => runs(source, field) !== undefined).map(field => ({
    ...{ field, before: null, after: runs(source, field)! },
  }))
  return { file, before: '', after, fields }
}

function edited(text: string, file: string, index: number, field: string, value: string | undefined): string {
  const changed = withSpecField(text, index, field, value)
  if (changed === undefined) throw notEdited(file)
  return changed
}

const notEdited = (file: string) =>
  new DapError(`\`${file}\` is written in a way that dap cannot change without changing more`, {
    hint: `write \`${WHAT.join('` and `')}\` there yourself, as plain values`,
  })

/** A DapError where the repository would have an error that it has not now. */
async function requireStillValid({ sources, repository, readers }: Opened, file: string, text: string): Promise<void> {
  const others = sources.filter(({ path }) => path !== file)
  const { diagnostics } = await loadRepository([...others, { path: file, text }], readers)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const known = new Set(repository.diagnostics.map(each => `${each.file} ${each.message}`))
  const fresh = errors.filter(each => !known.has(`${each.file} ${each.message}`))
  if (fresh.length === 0) return
  const [first] = fresh
  const more = fresh.length === 1 ? '' : `, and ${fresh.length - 1} more`
  throw new DapError(
    `it would not be valid: ${first.file}:${first.line}:${first.column}: ${first.message}${more}; nothing was written`,
    { hint: first.hint ?? `mend what \`${first.file}\` says about it first` },
  )
}
