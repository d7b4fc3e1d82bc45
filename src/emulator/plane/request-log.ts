import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../ports.ts'
import { digits, uniform } from '../state.ts'

/** A row of the table `request_response_logging` that Vertex AI writes to BigQuery. */
export interface LoggedRequest {
  /** Resource name. */
  readonly endpoint: string
  readonly deployed_model_id: string
  readonly logging_time: string
  readonly request_id: string
  /** JSON of each instance. */
  readonly request_payload: readonly string[]
  /** JSON of each prediction. */
  readonly response_payload: readonly string[]
}

/** The log that an endpoint's `predictRequestResponseLoggingConfig` asks for: a file of JSON lines for each table. */
export interface RequestLog {
  /** Samples, and writes behind the caller's back. */
  add(endpoint: JsonObject, row: Omit<LoggedRequest, 'endpoint' | 'request_id'>): void
  /** Resolves when all rows are written. */
  flush(): Promise<void>
}

interface LoggingConfig {
  readonly enabled?: boolean
  readonly samplingRate?: number
  readonly bigqueryDestination?: { readonly outputUri?: string }
}

export function createRequestLog(folder: string, seed: number): RequestLog {
  let serial = 0
  let written: Promise<unknown> = mkdir(folder, { recursive: true })
  return {
    add(endpoint, row) {
      const config = (endpoint['predictRequestResponseLoggingConfig'] ?? {}) as LoggingConfig
      if (config.enabled !== true) return
      const request_id = digits(18, seed, 'request', ++serial)
      if (uniform(seed, 'sample', serial) >= (config.samplingRate ?? 1)) return
      const line = JSON.stringify({ endpoint: endpoint['name'], request_id, ...row })
      const path = join(folder, `${tableOf(endpoint, config)}.jsonl`)
      written = written.then(() => appendFile(path, `${line}\n`))
    },
    flush: async () => void (await written),
  }
}

/** `project.dataset.table` of `bq://…`; what the URI leaves out is named as Vertex AI does. */
function tableOf({ name, displayName }: JsonObject, { bigqueryDestination }: LoggingConfig): string {
  const id = String(name).split('/').at(-1)
  const said = (bigqueryDestination?.outputUri ?? '').replace(/^bq:\/\//, '').split('.')
  const [project = '', dataset = `logging_${displayName}_${id}`, table = 'request_response_logging'] = said
  return [project, dataset, table]
    .filter(Boolean)
    .join('.')
    .replace(/[^\w.-]/g, '_')
}
