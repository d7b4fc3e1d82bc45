import { defineCommand } from '../../command.ts'
import type { Diagnostic } from '../../diagnostics.ts'
import { ExitCode } from '../../errors.ts'
import { MODEL_CHECK_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { linesOf } from '../../invalid-files.ts'
import type { Resource } from '../../repo/resource.ts'
import type { CheckedModel, ModelCheckResult, ModelParity } from '../../results.ts'
import { modelCheckText } from '../../ui/model.ts'
import { type Parity, parityFaultsOf, parityOf } from '../opening/parity.ts'
import { type Opened, openRepository } from '../opening/repository.ts'
import { requireModels } from './models.ts'

interface Checked {
  readonly result: ModelCheckResult
  /** The lines of the files with diagnostics, for their code frames. */
  readonly lines: ReadonlyMap<string, readonly string[]>
}

export const modelCheckCommand = defineCommand<{ readonly names: readonly string[] }, Checked>({
  declare: command =>
    command
      .argument('[models...]', 'Models; default: all')
      .addHelpText(
        'after',
        '\nHolds a Model against its file: digest, inputs, outputs, operators; and runs its parity rows one by one, by 7 and all at once. A model on\na server is not asked.\n\nexit codes: 0 all are right, 1 one is not, or nothing is installed that runs it, 3 usage',
      ),

  options: names => ({ names }),

  async run({ names }, host) {
    const opened = await openRepository(host)
    const models: CheckedModel[] = []
    for (const model of requireModels(opened, names)) models.push(await checked(host, opened, model))
    const passed = models.every(each => each.passed)
    const faulty = new Set(models.flatMap(({ diagnostics }) => diagnostics.map(({ file }) => file)))
    const sources = [...opened.sources, ...opened.data].filter(({ path }) => faulty.has(path))
    return { result: { schema: MODEL_CHECK_RESULT_SCHEMA, models, passed }, lines: linesOf(sources) }
  },

  text: ({ result, lines }, context) => modelCheckText(result, lines, context),
  json: ({ result }) => result,
  exitCode: ({ result }) => (result.passed ? ExitCode.done : ExitCode.no),
})

async function checked(host: Host, opened: Opened, model: Resource<'Model'>): Promise<CheckedModel> {
  const { name, file, spec } = model
  const { runtime, calibration, parity: named } = spec
  const files = [file, calibration?.file, named?.file]
  const own = opened.repository.diagnostics.filter(each => files.includes(each.file))
  const parity = await parityOf(host, opened, model)
  if (parity !== undefined && 'missing' in parity) throw parity.missing
  const diagnostics: readonly Diagnostic[] = [
    ...own,
    ...(parity === undefined ? [] : await parityFaultsOf(opened, model, parity)),
  ]
  const passed = diagnostics.every(({ severity }) => severity !== 'error')
  return {
    ...{ name, file, runtime: runtime.type, passed, diagnostics },
    parity: named === undefined ? null : parityResult(runtime.type, named.tolerance, parity, passed),
  }
}

function parityResult(
  runtime: string,
  tolerance: number,
  parity: Exclude<Parity, { readonly missing: unknown }> | undefined,
  passed: boolean,
): ModelParity {
  const none = { about: null, rows: 0, tolerance, batches: [], between: null, seconds: 0 }
  if (parity === undefined) {
    const reason = runtime === 'onnx' ? 'its files have errors' : 'a server has the model'
    return { status: 'not-run', reason, ...none }
  }
  if ('failed' in parity) return { status: 'failed', reason: parity.failed, ...none }
  const { about, seconds, report } = parity
  return {
    ...{ status: passed ? 'passed' : 'failed', reason: null, about, rows: report.rows, tolerance, seconds },
    batches: report.batches.map(({ size, largest }) => ({ size, difference: finite(largest.difference) })),
    between: report.between === undefined ? null : finite(report.between.difference),
  }
}

/** JSON has no infinity. */
const finite = (difference: number): number | null => (Number.isFinite(difference) ? difference : null)
