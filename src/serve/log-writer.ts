/** The decision log of a server: written off the request path, by group commit. */

export type Stream = 'decisions' | 'rewards'

/** Where the lines go. One write at a time. */
export interface Sink {
  /**
   * Appends whole lines. When it rejects, it has either written nothing or left what a reader of lines can skip, and the same lines may
   * be given again.
   */
  write(stream: Stream, lines: string): Promise<void>
  /** Brings what was written to stable storage. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface LogWriter {
  /**
   * The probability with which a decision's record should be kept now: 1, less as the queue fills up, 0 when it is full, and then nothing
   * may be decided. Rewards are taken until it is 0.
   */
  readonly admission: number
  /** Queues a record; one without its newline. */
  push(stream: Stream, record: string): void
  /** Undefined while all is well; else why the server should get no more traffic. Worries come before losses. */
  readonly trouble: string | undefined
  readonly stats: LogWriterStats
  /** Resolves when everything queued before has been written. */
  flush(): Promise<void>
  /** Writes what is queued, gives up after `timeoutMs`, and closes the sink. */
  close(timeoutMs: number): Promise<void>
}

export interface LogWriterStats {
  readonly queuedBytes: number
  readonly queuedRecords: number
  readonly written: Readonly<Record<Stream, number>>
  readonly commits: number
  readonly failures: number
}
