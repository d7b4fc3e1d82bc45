import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { NEW_OPS_RESULT_SCHEMA, NEW_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import { kindWord } from '../kind-word.ts'
import type { Kind } from '../kinds.ts'
import { scenarioAnswers } from '../scaffold/resource.ts'
import { fill } from '../scaffold/template.ts'
import { RESOURCE_NAME, RESOURCE_NAME_HINT } from './arguments.ts'
import { type OpsWritten, opsText, writeOps } from './new/ops.ts'
import { folderOf } from './opening/new-file.ts'
import { type Opened, openRepository, requireResource } from './opening/repository.ts'
import { parseKind } from './schema.ts'

interface Options {
  readonly kind: Exclude<Kind, 'Project'>
  readonly name: string
  /** Of a Deployment; default: the first there is. */
  readonly environment?: string
}

interface Created {
  readonly kind: Kind
  readonly name: string
  readonly file: string
  /** Of an ActionSet: the file of its first actions; of a Model: its file. */
  readonly data?: string
}

/** Dashboards and alerts, which are no resources: of whoever operates the servers. */
interface NewOps {
  readonly ops: true
  /** As it was typed. */
  readonly out: string | undefined
}

export const newCommand = defineCommand<Options | NewOps, Created | OpsWritten>({
  declare: command =>
    command
      .argument(
        '<kind>',
        'policy, scenario, dataset, evaluation, environment, deployment, action-set or model; or ops: a dashboard of Grafana and alerts of Prometheus',
      )
      .argument('[name]', 'lower-case letters, digits and dashes; ops has none')
      .option('--env <name>', "a deployment's Environment; default: the first")
      .option('--out <dir>', 'where ops is written; default: ops/ in the repository'),

  options([word, name], { env, out }) {
    if (word.toLowerCase() === 'ops') {
      if (name !== undefined) throw new UsageError('ops has no name', { hint: '--out DIR says where it is written' })
      if (env !== undefined) throw new UsageError('only a deployment has an --env')
      return { ops: true, out: out as string | undefined }
    }
    const kind = parseKind(word)
    if (out !== undefined) throw new UsageError('--out is for ops', { hint: 'a resource has its place' })
    if (kind === 'Project')
      throw new UsageError('a repository has one project', { hint: '`dap init DIR` makes a repository' })
    if (name === undefined) throw new UsageError(`which name has the ${kindWord(kind)}?`, { hint: RESOURCE_NAME_HINT })
    if (!RESOURCE_NAME.test(name)) throw new UsageError(`\`${name}\` cannot be a name`, { hint: RESOURCE_NAME_HINT })
    if (env === undefined) return { kind, name }
    if (kind !== 'Deployment') throw new UsageError('only a deployment has an --env')
    return { kind, name, environment: env as string }
  },

  async run(options, host) {
    if ('ops' in options) return writeOps(host, options.out)
    const { kind, name, environment } = options
    const opened = await openRepository(host)
    const filled = answers(kind, opened, environment)
    if (isTaken(opened, kind, name, filled)) {
      const hint =
        kind === 'Deployment' ? `in the environment \`${filled.environment}\`; --env names another` : undefined
      const word = kindWord(kind)
      throw new DapError(`there is ${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word} \`${name}\` already`, { hint })
    }
    const skeleton = await host.files.read(join(host.packageRoot, 'templates', '_new', `${kindWord(kind)}.yaml`))
    const folder = kind === 'Deployment' ? `${folderOf(kind, opened)}/${filled.environment}` : folderOf(kind, opened)
    const file = `${folder}/${name}.yaml`
    const path = join(opened.root, file)
    if (await host.files.exists(path)) throw new DapError(`\`${file}\` exists already`, { hint: 'nothing was written' })
    await host.files.write(path, fill(skeleton, { name, ...filled }))
    return { kind, name, file, ...(await firstData(host, opened, kind, name)) }
  },

  text(result, { style }) {
    if ('files' in result) return opsText(result, style)
    const { kind, file, data } = result
    const first = data === undefined ? '' : `${data}: ${FIRST[kind]}\n`
    return `${first}${file}: a new ${kindWord(kind)}, valid as it stands\nnext: edit it, then ${style.cyan('dap validate')}`
  },
  json(result) {
    if ('files' in result) return { schema: NEW_OPS_RESULT_SCHEMA, files: result.files }
    return { schema: NEW_RESULT_SCHEMA, ...result }
  },
  exitCode: () => ExitCode.done,
})

/** What is said of the first file of a kind that is nothing without one. */
const FIRST: Readonly<Partial<Record<Kind, string>>> = {
  ActionSet: 'its first actions, in whose place others go',
  Model: 'a model, in whose place another goes; `dap model new` takes one that there is',
}

/** Files that are there already stay as they are. */
async function firstData(host: Host, { root }: Opened, kind: Kind, name: string): Promise<Pick<Created, 'data'>> {
  const files =
    kind === 'ActionSet' ? [`data/${name}.csv`] : kind === 'Model' ? MODEL_FILES.map(end => `models/${name}${end}`) : []
  const [data] = files
  if (data === undefined || (await host.files.exists(join(root, data)))) return {}
  for (const file of files) {
    const template = join(host.packageRoot, 'templates', '_new', `${kindWord(kind)}${file.slice(file.indexOf('.'))}`)
    await host.files.write(join(root, file), await host.files.bytes(template))
  }
  return { data }
}

const MODEL_FILES = ['.onnx', '.parity.jsonl']

function isTaken({ repository }: Opened, kind: Kind, name: string, { environment }: Record<string, string>): boolean {
  if (kind !== 'Deployment') return repository.get(kind, name) !== undefined
  return repository.all(kind).some(each => each.name === name && each.spec.environment === environment)
}

/** Names of resources that the new one refers to: the first of each kind that is there, where none is asked for. */
function answers(kind: Kind, opened: Opened, environment: string | undefined): Record<string, string> {
  const first = (needed: 'Dataset' | 'Environment' | 'Policy') => {
    const [resource] = opened.repository.all(needed)
    return (resource ?? requireResource(opened, needed, undefined)).name
  }
  switch (kind) {
    case 'Scenario': {
      const policy = opened.repository.all('Policy')[0]
      return scenarioAnswers(policy)
    }
    case 'Evaluation':
      return { dataset: first('Dataset') }
    case 'Deployment':
      return {
        environment:
          environment === undefined ? first('Environment') : requireResource(opened, 'Environment', environment).name,
        policy: first('Policy'),
      }
    default:
      return {}
  }
}
