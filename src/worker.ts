/** A worker thread: does one task, part by part, as it is asked. The thread's counterpart of `main.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { DapError } from './errors.ts'
import type { DecisionLog } from './log/rows/decision-log.ts'
import { prepare, type SimulationPlan } from './simulate/simulate.ts'
import { createFolder, type FolderQuestion, type FoldPlan, type PassQuestion } from './train/fold.ts'

type Task =
  | { readonly task: 'simulate'; readonly plan: SimulationPlan }
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
  const simulation = prepare(task.plan)
  return range => {
    const { from, to } = range as { readonly from: number; readonly to: number }
    return simulation.play(from, to)
  }
}

const answer = begin(workerData as Task)

parentPort?.on('message', (question: unknown) => {
  try {
    parentPort?.postMessage({ part: answer(question) })
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    parentPort?.postMessage({ message: error.message, hint: error.hint })
  }
})
