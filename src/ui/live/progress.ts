import type { ProgressEvent, RunEvent } from '../../command.ts'
import type { Terminal } from '../../host.ts'

/** A run shorter than this shows nothing: loading the view would take longer than what it shows. */
const PATIENCE_MS = 400

/**
 * Progress on a terminal's stderr, drawn by ink once a run has proved long; nothing at all elsewhere. The view and ink are
 * loaded only then.
 */
export function createProgress(terminal: Terminal): { report(event: RunEvent): void; stop(): void } {
  let started: number | undefined
  let view: { update(event: ProgressEvent, elapsedMs: number): void; stop(): void } | undefined
  let loading = false
  let stopped = false
  return {
    report(event) {
      if (event.type !== 'progress') return
      started ??= performance.now()
      const elapsed = performance.now() - started
      if (view !== undefined) view.update(event, elapsed)
      else if (elapsed > PATIENCE_MS && !loading && terminal.interactive) {
        loading = true
        void import('./progress-view.tsx').then(({ mountProgress }) => {
          if (!stopped) view = mountProgress(process.stderr)
        })
      }
    },
    stop() {
      stopped = true
      view?.stop()
    },
  }
}
