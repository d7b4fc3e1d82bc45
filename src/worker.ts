/** A worker thread: does one task, part by part, as it is asked. The thread's counterpart of `main.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { DapError } from './errors.ts'
import type { ModelFiles } from './host.ts'
import type { DecisionLog } from './log/rows/decision-log.ts'
import type { Runtime } from './models/runtime.ts'
import type { Policy } from './policy/policy.ts'
import { prepare, type SimulationPlan } from './simulate/simulate.ts'
import { createFolder, type FolderQuestion, type FoldPlan, type PassQuestion } from './train/fold.ts'

type Task =
  | { readonly task: 'simulate'; readonly plan: SimulationPlan; readonly files: ModelFiles }
  | { readonly task: 'train'; readonly plan: FoldPlan }

function begin(task: Task): (question: unknown) => unknown {
  if (task.task === 'train') {
    const folder = createFolder(task.plan)
    let asked: PassQuestion | undefined
    return question => {
      const told = question as DecisionLog | FolderQuestion
      if ('rows' in told) return folder.fold(told)
      if ('question' in told) asked = told.question
      else if (asked !== undefined) return folder.pass(asked, told.batch)
      return undefined
    }
  }
  const { plan, files } = task
  const simulation = prepare(plan, policy => openModel(policy, files))
  return range => {
    const { from, to } = range as { readonly from: number; readonly to: number }
    return simulation.playAhead(from, to)
  }
}

/** Each thread has its own of what runs a Model, as it has its own policies. */
async function openModel({ spec }: Policy, files: ModelFiles): Promise<Runtime> {
  const { scorer } = spec
  if (scorer === undefined) throw new RangeError('there is no Model to open')
  const { modelRunner } = await import('./adapters/models.ts')
  return modelRunner().open(scorer, async () => files.get(scorer.digest) as Uint8Array)
}

const answer = begin(workerData as Task)

parentPort?.on('message', async (question: unknown) => {
  try {
    parentPort?.postMessage({ part: await answer(question) })
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    parentPort?.postMessage({ message: error.message, hint: error.hint })
  }
})
