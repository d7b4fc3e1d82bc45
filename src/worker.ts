/** A worker thread: plays the replications that it is asked for. The thread's counterpart of `main.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { DapError } from './errors.ts'
import { prepare, type SimulationPlan } from './simulate/simulate.ts'

const simulation = prepare(workerData as SimulationPlan)

parentPort?.on('message', ({ from, to }: { from: number; to: number }) => {
  try {
    parentPort?.postMessage({ part: simulation.play(from, to) })
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    parentPort?.postMessage({ message: error.message, hint: error.hint })
  }
})
