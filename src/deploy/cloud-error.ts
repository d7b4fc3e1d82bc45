import { DapError, ExitCode } from '../errors.ts'

/** The codes of google.rpc.Code that dap tells apart. */
export type Status =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'UNAUTHENTICATED'

/** A call that the cloud refused or did not answer. */
export class CloudError extends DapError {
  override readonly name = 'CloudError'
  readonly status: Status
  /** What the target calls that call. */
  call: string | undefined

  constructor(status: Status, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, { ...options, exitCode: ExitCode.remote })
    this.status = status
  }
}

/** What had begun and ended badly. Trying again takes as long, and ends the same. */
export class WorkFailed extends DapError {
  override readonly name = 'WorkFailed'
  readonly status: Status

  constructor(status: Status, message: string, hint?: string) {
    super(message, { hint, exitCode: ExitCode.remote })
    this.status = status
  }
}
