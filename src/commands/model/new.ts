import { createHash } from 'node:crypto'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import { NEW_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { isInside } from '../../paths.ts'
import { RESOURCE_NAME, RESOURCE_NAME_HINT } from '../arguments.ts'
import { folderOf } from '../opening/new-file.ts'
import { displayPath, type Opened, openRepository } from '../opening/repository.ts'
import { MLMODEL, readMlModel } from './mlmodel.ts'
import { modelYaml } from './yaml.ts'

interface Options {
  readonly name: string | undefined
  readonly from: string
}

interface Created {
  readonly name: string
  readonly file: string
  readonly data: string
}

export const modelNewCommand = defineCommand<Options, Created>({
  declare: command =>
    command
      .argument('[name]', "its name; default: the file's")
      .option('--from <file>', 'a file of ONNX in the repository, or the `MLmodel` of MLflow that leads to one')
      .addHelpText(
        'after',
        '\nWrites a Model with the digest, the inputs and the output that the file has. Which features fill the columns, and what the output means,\nis guessed where it can be, and yours to say.\n\nexit codes: 0 written, 1 it is no model, or is there already, 3 usage',
      ),

  options([name], flags) {
    const from = flags['from'] as string | undefined
    if (from === undefined) {
      const hint = '--from FILE; `dap new model NAME` makes one with a small model to begin with'
      throw new UsageError('of which file?', { hint })
    }
    if (from.startsWith('models:')) {
      throw new UsageError('dap does not ask a registry of MLflow', {
        hint: `\`mlflow artifacts download --artifact-uri ${from} --dst-path data/model\`, then \`--from data/model/MLmodel\``,
      })
    }
    return { name, from }
  },

  async run({ name: wanted, from }, host) {
    const opened = await openRepository(host)
    const { path, columns } = await source(host, resolve(host.cwd, from), from)
    const data = placeOf(opened, await host.files.real(path), from)
    const name = wanted ?? nameOf(path)
    if (!RESOURCE_NAME.test(name)) throw new UsageError(`\`${name}\` cannot be a name`, { hint: RESOURCE_NAME_HINT })
    if (opened.repository.get('Model', name) !== undefined) {
      throw new DapError(`there is a model \`${name}\` already`, { hint: '`dap model new NAME` gives another name' })
    }
    const bytes = await host.files.bytes(path)
    const { readOnnx } = await import('../../models/onnx-graph.ts')
    const graph = readOnnx(bytes)
    if ('fault' in graph) throw new DapError(`\`${from}\` ${graph.fault}`, { hint: 'an exporter to ONNX writes one' })
    const file = `${folderOf('Model', opened)}/${name}.yaml`
    const to = join(opened.root, file)
    if (await host.files.exists(to)) throw new DapError(`\`${file}\` exists already`, { hint: 'nothing was written' })
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    await host.files.write(to, modelYaml(name, { file: data, digest }, graph.signature, columns))
    return { name, file, data }
  },

  text: ({ file, data }, { style }) =>
    `${file}: a new model, of ${data}\nnext: say which features fill its inputs and what its output means, then ${style.cyan('dap model check')}`,
  json: result => ({ schema: NEW_RESULT_SCHEMA, kind: 'Model', ...result }),
  exitCode: () => ExitCode.done,
})

/** The file of ONNX, and the names of its columns where MLflow knows them. */
async function source(
  host: Host,
  path: string,
  from: string,
): Promise<{ readonly path: string; readonly columns?: readonly string[] }> {
  if (!(await host.files.exists(path))) throw new UsageError(`no such file: \`${from}\``)
  if (await host.files.isFolder(path)) {
    const inside = join(path, MLMODEL)
    if (await host.files.exists(inside)) return source(host, inside, `${from}/${MLMODEL}`)
    throw new UsageError(`\`${from}\` is a folder`, { hint: 'name the file of ONNX in it' })
  }
  const beside = join(dirname(path), MLMODEL)
  if (!(await host.files.exists(beside))) return { path }
  const { data, columns } = await readMlModel(host, beside)
  if (basename(path) !== MLMODEL) return { path, columns }
  if (data === undefined) {
    throw new DapError(`\`${from}\` has no flavour \`onnx\``, {
      hint: 'log the model with `mlflow.onnx.log_model`, or convert it: `tf2onnx`, `skl2onnx`, `jax2onnx`',
    })
  }
  return { path: join(dirname(path), data), columns }
}

/** As the Model names it: from the repository's root. */
function placeOf({ root, roots }: Opened, real: string, from: string): string {
  if (roots.some(each => isInside(each, real))) return displayPath(root, real)
  throw new UsageError(`\`${from}\` is outside the repository`, {
    hint: 'copy it into `models/`, or declare its folder in `spec.dataRoots` of dap.yaml',
  })
}

/** MLflow calls every file `model.onnx`: then its folder has the name. */
function nameOf(path: string): string {
  const file = basename(path, extname(path))
  const name = file === 'model' ? basename(dirname(path)) : file
  return name.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-')
}
