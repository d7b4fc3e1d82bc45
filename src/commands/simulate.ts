import { resolve } from 'node:path'
import { defineCommand, type ProgressEvent } from '../command.ts'
import { UsageError } from '../errors.ts'
import { SIMULATIONS_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import { DECISION_SCHEMAS } from '../log/records/records.ts'
import type { OpenRuntime } from '../models/score-ahead.ts'
import type { SimulationResult } from '../results.ts'
import { isBaseline } from '../simulate/baselines.ts'
import { finish } from '../simulate/finish.ts'
import { decisionLog } from '../simulate/log.ts'
import type { Replications } from '../simulate/replicate.ts'
import { prepare, type Simulation, type SimulationPlan } from '../simulate/simulate.ts'
import { plural } from '../ui/numbers.ts'
import { simulationMarkdown, simulationText } from '../ui/simulation.ts'
import { wholeNumber } from './arguments.ts'
import { evidenceInputs, type Recorded, recordEvidence, recordedText } from './evidence/evidence.ts'
import { regretFigure } from './evidence/figures.ts'
import { createRuntimes, modelFiles } from './opening/model-shelf.ts'
import type { Opened } from './opening/repository.ts'
import { requireScenario } from './opening/scenario.ts'
import { type Judged, presented } from './several/present.ts'
import { rulePlaces } from './several/rule-places.ts'
import { type Ran, runSelected } from './several/run.ts'
import { declareSelection, type Selection, selectionOf } from './several/selection.ts'

interface Options {
  /** Absent: all that are selected. */
  readonly scenario?: string
  readonly selection: Selection
  readonly seed?: number
  readonly replications?: number
  readonly horizon?: number
  readonly workers?: number
  /** Where to write a decision log, and of which policy. */
  readonly log?: string
  readonly logPolicy?: string
  readonly record?: true
}

type Overrides = Omit<Options, 'scenario' | 'selection'>

interface Simulated extends Judged<SimulationResult> {
  readonly recorded?: Recorded
  readonly log?: { readonly path: string; readonly policy: string; readonly decisions: number }
}

/** Decisions between two looks at the signals: often enough for Ctrl-C to feel immediate. */
const BATCH_DECISIONS = 20_000

/** Fewer than this are played here: a worker takes longer to start. */
const PARALLEL_DECISIONS = 500_000

export const simulateCommand = defineCommand<Options, Ran<Simulated>>({
  declare: command =>
    declareSelection(command.argument('[scenario]', 'name of a Scenario; default: all of them'), 'Scenario')
      .option('--seed <n>', "instead of the scenario's", wholeNumber('seed', 0))
      .option('--replications <n>', "instead of the scenario's", wholeNumber('replications', 2))
      .option('--horizon <n>', "instead of the scenario's", wholeNumber('horizon', 1))
      .option('--workers <n>', 'threads to play in; default: as many as there are cores', wholeNumber('workers', 1))
      .option('--log <file>', 'also write the decisions and rewards of one policy, in the first replication, as a log')
      .option('--log-policy <name>', "the policy whose log it is; default: the scenario's first")
      .option('--record', 'also write the outcome to evidence/, for the plan of a Deployment that asks for it')
      .addHelpText(
        'after',
        '\nEvery policy meets the same units, contexts and potential rewards, so differences are paired.\nThe same seed gives the same bytes, from any number of workers. Ties between actions are broken at random unless the policy says otherwise.\n\nexit codes: 0 every expectation holds, 1 one does not, 3 usage',
      ),

  options([scenario], flags) {
    const { seed, replications, horizon, workers, log, logPolicy, record } = flags as Partial<Overrides>
    const selection = selectionOf(scenario, flags)
    if (logPolicy !== undefined && log === undefined) throw new UsageError('--log-policy needs --log FILE')
    const override = Object.entries({ seed, replications, horizon }).find(([, value]) => value !== undefined)
    if (record === true && override !== undefined) {
      throw new UsageError(`--record takes no --${override[0]}`, {
        hint: 'evidence is of the scenario as Git has it: change the file, or leave the option out',
      })
    }
    const all = { scenario, seed, replications, horizon, workers, log, logPolicy, record }
    const given = Object.entries(all).filter(([, value]) => value !== undefined)
    return { selection, ...(Object.fromEntries(given) as Omit<Options, 'selection'>) }
  },

  run: ({ scenario: name, selection, ...options }, host, report) =>
    runSelected(
      host,
      'Scenario',
      { name, selection, ...(options.log === undefined ? {} : { single: '--log' }) },
      (opened, each) => simulate(opened, each, options, host, report),
    ),

  ...presented<SimulationResult, Simulated>({
    kind: 'Scenario',
    rule: 'expectation',
    text({ result, log, recorded }, context) {
      const parts = [simulationText(result, context)]
      if (log !== undefined) {
        parts.push(`${plural(log.decisions, 'decision')} of ${log.policy}, with their rewards, in ${log.path}`)
      }
      if (recorded !== undefined) parts.push(recordedText(recorded))
      return parts.join('\n\n')
    },
    markdown: ({ result }) => simulationMarkdown(result),
    several: all => ({ schema: SIMULATIONS_RESULT_SCHEMA, ...all }),
  }),
})

/** One scenario, found and played. */
async function simulate(
  opened: Opened,
  name: string,
  { workers, log, logPolicy, record, ...overrides }: Overrides,
  host: Host,
  report: (event: ProgressEvent) => void,
): Promise<Simulated> {
  const { scenario, policies } = requireScenario(opened, name)
  const about = { kind: 'scenario', name: scenario.name } as const
  const inputs = record ? await evidenceInputs(host, opened, about) : []
  const spec = { ...scenario.spec, ...overrides }
  const specs = policies.map(policy => policy.spec)
  const plan: SimulationPlan = { scenario: { name: scenario.name, spec, digest: scenario.digest }, policies }
  const runtimes = createRuntimes(host, opened)
  const simulation = prepare(plan, runtimes.open)
  const logged =
    log === undefined
      ? undefined
      : await writeLog(plan, runtimes.open, resolve(host.cwd, log), logPolicy, host, report).finally(runtimes.close)
  const total = spec.replications
  let done = 0
  const onPart = ({ from, to }: Replications) => {
    done += to - from
    report({ type: 'progress', unit: 'replications', done, total })
  }
  const decisions = spec.horizon * spec.policies.length
  const batch = Math.max(1, Math.floor(BATCH_DECISIONS / decisions))
  const threads = Math.min(
    workers ?? (decisions * total < PARALLEL_DECISIONS ? 1 : host.cores),
    Math.ceil(total / batch),
  )
  const parts =
    threads > 1 && host.playInWorkers !== undefined
      ? await host.playInWorkers(
          plan,
          { workers: threads, batch, files: await modelFiles(host, opened, specs) },
          onPart,
        )
      : await playHere(simulation, total, batch, onPart, host).finally(runtimes.close)
  const result = finish(simulation, parts)
  const figures = new Map(result.policies.map(policy => [policy.name, regretFigure(policy)]))
  const recorded = record
    ? await recordEvidence(host, opened, {
        ...about,
        inputs,
        policies: policies.map(({ name, digest }) => ({
          name,
          digest,
          snapshot: null,
          figure: figures.get(name) ?? null,
        })),
        rules: result.expectations,
      })
    : undefined
  return {
    result,
    rules: result.expectations,
    places: rulePlaces(opened, scenario, result.expectations),
    ...(logged === undefined ? {} : { log: { path: log as string, ...logged } }),
    ...(recorded === undefined ? {} : { recorded }),
  }
}

async function playHere(
  simulation: Simulation,
  total: number,
  batch: number,
  onPart: (part: Replications) => void,
  { breathe, signal }: Host,
): Promise<Replications[]> {
  const parts: Replications[] = []
  for (let from = 0; from < total; from += batch) {
    const part = await simulation.playAhead(from, Math.min(total, from + batch), signal)
    parts.push(part)
    onPart(part)
    await breathe()
    signal.throwIfAborted()
  }
  return parts
}

/** Records between two looks at the signals. */
const BATCH_RECORDS = 2000

/** Writes the log beside its place and moves it there when it is whole: what an interrupt leaves ends in `.partial`. */
async function writeLog(
  plan: SimulationPlan,
  open: OpenRuntime,
  path: string,
  wanted: string | undefined,
  { files, version, breathe, signal }: Host,
  report: (event: ProgressEvent) => void,
): Promise<{ readonly policy: string; readonly decisions: number }> {
  const { name, spec } = plan.scenario
  const names = spec.policies.filter(each => !isBaseline(each))
  if (names.length === 0) {
    throw new UsageError(`the scenario \`${name}\` plays no policy`, {
      hint: 'baselines decide nothing that is logged',
    })
  }
  const policy = wanted ?? names[0]
  if (!names.includes(policy)) {
    throw new UsageError(`the scenario \`${name}\` plays no policy \`${policy}\``, {
      hint: `one of ${names.map(each => `\`${each}\``).join(', ')}`,
    })
  }
  const partial = `${path}.partial`
  const out = await files.lines(partial)
  let records = 0
  let decisions = 0
  try {
    for await (const record of decisionLog(plan, policy, `dap/${version}`, { open, signal })) {
      out.write(JSON.stringify(record))
      if (DECISION_SCHEMAS.some(each => each === record.schema)) decisions++
      if (++records % BATCH_RECORDS !== 0) continue
      report({ type: 'progress', unit: 'records', done: records, total: 2 * spec.horizon })
      await breathe()
      signal.throwIfAborted()
    }
  } finally {
    await out.close()
  }
  await files.rename(partial, path)
  return { policy, decisions }
}
