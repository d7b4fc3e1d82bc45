import { defineCommand } from '../command.ts'
import { ExitCode } from '../errors.ts'
import type { Host } from '../host.ts'
import type { SimulationResult } from '../results.ts'
import { finish } from '../simulate/finish.ts'
import { isBaseline } from '../simulate/players.ts'
import type { Replications } from '../simulate/replicate.ts'
import { prepare, type Simulation, type SimulationPlan } from '../simulate/simulate.ts'
import { simulationText } from '../ui/simulation.ts'
import { wholeNumber } from './arguments.ts'
import { openRepository, requireResource, requireValid } from './repository.ts'

interface Options {
  readonly scenario: string | undefined
  readonly seed?: number
  readonly replications?: number
  readonly horizon?: number
  readonly workers?: number
}

/** Decisions between two looks at the signals: often enough for Ctrl-C to feel immediate. */
const BATCH_DECISIONS = 20_000

/** Fewer than this are played here: a worker takes longer to start. */
const PARALLEL_DECISIONS = 500_000

export const simulateCommand = defineCommand<Options, SimulationResult>({
  declare: command =>
    command
      .argument('[scenario]', 'name of a Scenario; may be left out when there is only one')
      .option('--seed <n>', "instead of the scenario's", wholeNumber('seed', 0))
      .option('--replications <n>', "instead of the scenario's", wholeNumber('replications', 2))
      .option('--horizon <n>', "instead of the scenario's", wholeNumber('horizon', 1))
      .option('--workers <n>', 'threads to play in; default: as many as there are cores', wholeNumber('workers', 1))
      .addHelpText(
        'after',
        '\nEvery policy meets the same units, contexts and potential rewards, so differences are paired.\nThe same seed gives the same bytes, from any number of workers. Ties between actions are broken at random unless the policy says otherwise.\n\nexit codes: 0 every expectation holds, 1 one does not, 3 usage',
      ),

  options([scenario], { seed, replications, horizon, workers }) {
    const given = Object.entries({ seed, replications, horizon, workers }).filter(([, value]) => value !== undefined)
    return { scenario, ...(Object.fromEntries(given) as Omit<Options, 'scenario'>) }
  },

  async run({ scenario: name, workers, ...overrides }, host, report) {
    const opened = await openRepository(host)
    const scenario = requireResource(opened, 'Scenario', name)
    requireValid(opened, [scenario.file])
    const policies = scenario.spec.policies
      .filter(policy => !isBaseline(policy))
      .map(policy => requireResource(opened, 'Policy', policy))
    requireValid(
      opened,
      policies.map(policy => policy.file),
    )

    const spec = { ...scenario.spec, ...overrides }
    const plan: SimulationPlan = { scenario: { name: scenario.name, spec, digest: scenario.digest }, policies }
    const simulation = prepare(plan)
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
        ? await host.playInWorkers(plan, { workers: threads, batch }, onPart)
        : await playHere(simulation, total, batch, onPart, host)
    return finish(simulation, parts)
  },

  text: simulationText,
  json: result => result,
  exitCode: result => (result.passed ? ExitCode.done : ExitCode.no),
})

async function playHere(
  simulation: Simulation,
  total: number,
  batch: number,
  onPart: (part: Replications) => void,
  { breathe, signal }: Host,
): Promise<Replications[]> {
  const parts: Replications[] = []
  for (let from = 0; from < total; from += batch) {
    const part = simulation.play(from, Math.min(total, from + batch))
    parts.push(part)
    onPart(part)
    await breathe()
    signal.throwIfAborted()
  }
  return parts
}
