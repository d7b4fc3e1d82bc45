import type { RunEvent } from './command.ts'
import type { Host } from './host.ts'

/** Where a run's words go. Results to `out`, everything else to `err`. */
export interface Streams {
  out(text: string): void
  err(text: string): void
  /** How wide the terminal is that one of them is; Infinity where it is none. */
  columns(of: 'out' | 'err'): number
}

/** What `main.ts` provides: the outside world, once the global flags are known. */
export interface World {
  readonly version: string
  readonly streams: Streams
  host(flags: { readonly folder?: string; readonly color?: boolean }): Promise<Host>
  /** Draws progress on stderr, if that is a terminal; `stop` leaves the screen clean. */
  progress(host: Host): { report(event: RunEvent): void; stop(): void | Promise<void> }
}
