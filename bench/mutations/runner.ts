/**
 * The process that runs tests, started in the copy by `workshop.ts`. It keeps Vitest, and with it all transformed modules, between runs;
 * only the changed file is read again. Each test file has a thread of its own, so no module's state outlives it.
 */
import { join } from 'node:path'
import { createVitest, type Reporter, type TestModule, type TestSpecification } from 'vitest/node'

/** Runs these tests in this order, until the first failure. */
export interface Order {
  /** The file of `src` that has a fault now; that of the last run has none any more. */
  readonly changed?: string
  /** Each with the seconds that it may take. */
  readonly tests: readonly { readonly file: string; readonly limit: number }[]
}

export type Outcome =
  | { readonly kind: 'passed'; readonly seconds: Readonly<Record<string, number>> }
  | { readonly kind: 'failed'; readonly file: string; readonly test: string }
  | { readonly kind: 'timed out'; readonly file: string }

export interface Answer {
  readonly outcome: Outcome
  /** A test does not end: this process is of no more use. */
  readonly stuck: boolean
}

/** How long the tests that are running when another fails have to end. */
const GRACE_SECONDS = 5

const root = process.cwd()
/** Every file that has ever had a fault. */
const touched = new Set<string>()
const limits = new Map<string, number>()
const begun = new Map<string, number>()
const seconds: Record<string, number> = {}
let failure: { readonly outcome: Outcome; readonly at: number } | undefined

const failed = (file: string, test: string) => {
  failure ??= { outcome: { kind: 'failed', file, test }, at: performance.now() }
  void vitest.cancelCurrentRun('test-failure')
}

const reporter: Reporter = {
  onTestModuleQueued({ relativeModuleId }) {
    begun.set(relativeModuleId, performance.now())
  },
  onTestCaseResult(test) {
    if (test.result().state === 'failed') failed(test.module.relativeModuleId, test.fullName)
  },
  onTestModuleEnd(module) {
    const file = module.relativeModuleId
    seconds[file] = secondsSince(begun.get(file)!)
    begun.delete(file)
    if (module.state() === 'failed') failed(file, firstError(module))
  },
}

const firstError = (module: TestModule) => module.errors()[0]?.message.split('\n')[0] ?? 'a hook'

const vitest = await createVitest(
  {
    root,
    watch: false,
    update: 'none',
    pool: 'threads',
    maxWorkers: Number(process.env['MUTATION_WORKERS']),
    reporters: [reporter],
    silent: true,
    sequence: {
      sequencer: class {
        shard = (files: TestSpecification[]) => files
        sort = (files: TestSpecification[]) => files
      },
    },
  },
  { cacheDir: join(root, '.vite') },
)

const secondsSince = (time: number) => (performance.now() - time) / 1000
const answer = (outcome: Outcome, stuck = false) => process.send!({ outcome, stuck } satisfies Answer)

setInterval(() => {
  if (failure !== undefined) {
    if (secondsSince(failure.at) > GRACE_SECONDS) answer(failure.outcome, true)
    return
  }
  const late = [...begun].find(([file, since]) => secondsSince(since) > limits.get(file)!)
  if (late !== undefined) answer({ kind: 'timed out', file: late[0] }, true)
}, 500)

process.on('message', async ({ changed, tests }: Order) => {
  begun.clear()
  limits.clear()
  for (const { file, limit } of tests) limits.set(file, limit)
  if (changed !== undefined) touched.add(join(root, changed))
  for (const path of touched) vitest.invalidateFile(path)
  const specifications = tests.map(({ file }) => vitest.getRootProject().createSpecification(join(root, file)))
  const { unhandledErrors } = await vitest.runTestSpecifications(specifications)
  if (unhandledErrors.length > 0) failed('an unhandled error', '')
  answer(failure?.outcome ?? { kind: 'passed', seconds })
  failure = undefined
})
process.on('disconnect', () => process.exit())
process.send!('ready')
