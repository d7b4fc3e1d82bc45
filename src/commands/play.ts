import { createClient } from '../client.ts'
import { defineCommand } from '../command.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { PLAY_RESULT_SCHEMA } from '../generated/names.ts'
import { createSlots, isList } from '../policy/lists/slots.ts'
import { isListed, listed } from '../policy/pool.ts'
import type { PlayResult } from '../results.ts'
import { type StagedRound, stage } from '../simulate/stage.ts'
import { measure, quantile } from '../simulate/summarise.ts'
import { playText } from '../ui/play.ts'
import { wholeNumber } from './arguments.ts'
import { openRepository } from './opening/repository.ts'
import { requireScenario } from './opening/scenario.ts'

interface Options {
  readonly scenario: string | undefined
  readonly server: string
  /** Of the server's `--tokens`. */
  readonly token: string | undefined
  readonly policy?: string
  readonly seed?: number
  readonly decisions?: number
  readonly concurrency: number
  readonly rewards: boolean
}

const SERVER = 'http://127.0.0.1:8080'
const CONCURRENCY = 16

/** The server is given this long: a simulation has more patience than a player. */
const TIMEOUT_MS = 10_000
const CLOSE_MS = 10_000

export const playCommand = defineCommand<Options, PlayResult>({
  declare: command =>
    command
      .argument('[scenario]', 'name of a Scenario; may be left out when there is only one')
      .option('--server <url>', `where \`dap serve\` listens; default: ${SERVER}`)
      .option('--policy <name>', "which of the scenario's policies is asked; default: its first")
      .option('--decisions <n>', "default: the scenario's horizon", wholeNumber('decisions', 2))
      .option(
        '--seed <n>',
        "instead of the scenario's: another round of play needs another seed",
        wholeNumber('seed', 0),
      )
      .option('--concurrency <n>', `requests in flight; default: ${CONCURRENCY}`, wholeNumber('concurrency', 1))
      .option('--no-rewards', 'post no rewards')
      .addHelpText(
        'after',
        '\nThe units of a simulated world ask a real server what to do, and tell it what came of it. Decision ids are\nSCENARIO-SEED-NUMBER, so that the same seed asks for the same decisions again.\n$DAP_TOKEN is shown to a server that wants a token.\n\nexit codes: 0 played, 1 the server does not answer or refuses, 3 usage',
      ),

  options([scenario], flags, host) {
    const { server = SERVER, concurrency = CONCURRENCY, rewards = true, ...given } = flags as Partial<Options>
    if (!/^https?:$/.test(URL.parse(server)?.protocol ?? '')) {
      throw new UsageError(`--server takes an http URL, got \`${server}\``, { hint: SERVER })
    }
    return { ...given, scenario, server, token: host.environment('DAP_TOKEN'), concurrency, rewards }
  },

  async run(options, host, report) {
    const { server, token, concurrency } = options
    const opened = await openRepository(host)
    const { scenario, policies } = requireScenario(opened, options.scenario)
    const policy = options.policy === undefined ? policies[0] : policies.find(({ name }) => name === options.policy)
    if (policy === undefined) {
      throw new UsageError(`the scenario \`${scenario.name}\` does not play \`${options.policy ?? 'any policy'}\``, {
        hint:
          policies.length > 0 ? `one of ${policies.map(({ name }) => name).join(', ')}` : 'add one to `spec.policies`',
      })
    }
    const spec = { ...scenario.spec, horizon: options.decisions ?? scenario.spec.horizon }
    const { seed = spec.seed } = options
    const client = createClient({
      baseUrl: server.replace(/\/$/, ''),
      ...(token === undefined ? {} : { token }),
      timeoutMs: TIMEOUT_MS,
      maxQueued: spec.horizon * createSlots(policy.spec).count,
    })
    const rounds = stage({ scenario: { ...scenario, spec }, policies }, policy, { seed })
    const actions = listed(policy.spec.actions).map(({ id }) => id)
    const { name: rewardName, default: usual } = policy.spec.reward
    const list = isList(policy.spec)
    // By the number of the round, so that the result does not depend on which answer came first.
    const earned = new Float64Array(spec.horizon)
    const waited = new Float64Array(spec.horizon)
    const chosen = new Map<string, number>()
    const servedBy = new Map<string, number>()
    let done = 0

    async function ask(name: string, { number, context, actions: offered, rewardsOf }: StagedRound): Promise<void> {
      const decisionId = `${scenario.name}-${seed}-${number}`
      const start = performance.now()
      const answer = await client.decide(
        { policy: name, decisionId, context, ...(offered === undefined ? {} : { actions: [...offered] }) },
        { fallback: null },
      )
      if (answer.policy === undefined) {
        throw new DapError(`the server at ${server} does not decide: ${answer.reason}`, {
          hint: '`dap serve` starts one; --server names another; $DAP_TOKEN is what it may want to see',
        })
      }
      waited[number] = performance.now() - start
      servedBy.set(answer.servedBy, (servedBy.get(answer.servedBy) ?? 0) + 1)
      const shown = list ? (answer.slots ?? []) : [answer]
      const places = shown.map(({ action }) =>
        action === null ? -1 : (offered?.findIndex(({ id }) => id === action) ?? actions.indexOf(action)),
      )
      // Whoever gets nothing answers nothing: `earned` stays 0, as in a simulation.
      if (places.every(place => place < 0)) return finished()
      const rewards = rewardsOf(places)
      for (const [slot, { action }] of shown.entries()) {
        if (action === null) continue
        const value = rewards[slot]
        earned[number] += value
        chosen.set(action, (chosen.get(action) ?? 0) + 1)
        // Of a list the clicks come back, and nothing of the other slots.
        if (!options.rewards || (list && value === usual)) continue
        const rewardId = list ? `${decisionId}-r${slot}` : `${decisionId}-r`
        client.reward({ rewardId, decisionId, name: rewardName, value, ...(list ? { slot } : {}) })
      }
      finished()
    }

    function finished(): void {
      if (++done % 100 === 0) report({ type: 'progress', unit: 'decisions', done, total: spec.horizon })
    }

    async function askOneByOne(name: string): Promise<void> {
      for (const round of rounds) {
        host.signal.throwIfAborted()
        await ask(name, round)
      }
    }

    await Promise.all(Array.from({ length: concurrency }, () => askOneByOne(policy.name)))
    const { unsent, reason } = await client.close({ timeoutMs: CLOSE_MS })
    if (unsent > 0) throw new DapError(`the server at ${server} does not take ${unsent} of the rewards: ${reason}`)
    const { dropped } = client.stats
    if (dropped > 0) throw new DapError(`the server at ${server} refused ${dropped} rewards`)
    waited.sort()
    return {
      schema: PLAY_RESULT_SCHEMA,
      scenario: scenario.name,
      server,
      policy: policy.name,
      seed,
      decisions: spec.horizon,
      level: spec.level,
      reward: measure(earned, spec.level),
      servedBy: Object.fromEntries([...servedBy].sort()),
      actions: Object.fromEntries(
        isListed(policy.spec.actions) ? actions.map(id => [id, chosen.get(id) ?? 0]) : byCount(chosen),
      ),
      latencyMs: { p50: quantile(waited, 0.5), p99: quantile(waited, 0.99) },
    }
  },

  text: playText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** The most often chosen first; of many items a bench would list all. */
const byCount = (chosen: ReadonlyMap<string, number>) =>
  [...chosen].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, MOST_ACTIONS)

/** Requests may bring any number of actions. */
const MOST_ACTIONS = 20
