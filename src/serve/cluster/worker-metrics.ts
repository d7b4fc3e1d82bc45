import { AggregatorRegistry, Counter, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client'
import { LOST_RECORDS } from '../metrics.ts'

/** A worker's metrics, as it tells them. */
export type Measured = readonly MetricObjectWithValues<MetricValue<string>>[]

/** The metrics of all workers as one text. What a worker has counted stays counted when it dies; a gauge is of those that live. */
export interface WorkerMetrics {
  measured(worker: number, metrics: Measured): void
  died(worker: number): void
  /** Records that a worker which died may have lost, and nobody else can tell of. */
  lost(records: number): void
  text(): Promise<string>
}

export function createWorkerMetrics(): WorkerMetrics {
  const living = new Map<number, Measured>()
  /** Added up. */
  let dead: Measured = []
  const losses = new Registry()
  const lost = new Counter({ ...LOST_RECORDS, registers: [losses] })

  return {
    measured: (worker, metrics) => void living.set(worker, metrics),
    died(worker) {
      const counted = living.get(worker)?.filter(({ type }) => String(type) !== 'gauge')
      living.delete(worker)
      // What it adds up has its values in it, whatever its types say.
      if (counted !== undefined) dead = sum([dead, counted]).getMetricsAsArray() as unknown as Measured
    },
    lost: records => lost.inc(records),
    text: async () => sum([dead, ...living.values(), await losses.getMetricsAsJSON()]).metrics(),
  }
}

const sum = (all: readonly Measured[]): Registry => AggregatorRegistry.aggregate(all as Measured[])
