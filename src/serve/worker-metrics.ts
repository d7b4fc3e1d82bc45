import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'

/** A worker's metrics, as it tells them. */
export type Measured = readonly MetricObjectWithValues<MetricValue<string>>[]

/** The metrics of all workers as one text. What a worker has counted stays counted when it dies; a gauge is of those that live. */
export interface WorkerMetrics {
  measured(worker: number, metrics: Measured): void
  died(worker: number): void
  text(): Promise<string>
}

export function createWorkerMetrics(): WorkerMetrics {
  const living = new Map<number, Measured>()
  /** Added up. */
  let dead: Measured = []

  return {
    measured: (worker, metrics) => void living.set(worker, metrics),
    died(worker) {
      const counted = living.get(worker)?.filter(({ type }) => String(type) !== 'gauge')
      living.delete(worker)
      // What it adds up has its values in it, whatever its types say.
      if (counted !== undefined) dead = sum([dead, counted]).getMetricsAsArray() as unknown as Measured
    },
    text: () => sum([dead, ...living.values()]).metrics(),
  }
}

const sum = (all: readonly Measured[]): Registry => AggregatorRegistry.aggregate(all as Measured[])
