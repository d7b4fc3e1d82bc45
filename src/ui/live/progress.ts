import type { RetryEvent, RunEvent } from '../../command.ts'
import type { DeployEvent } from '../../deploy/doing/events.ts'
import type { Terminal } from '../../host.ts'
import { type Pace, paced } from './pace.ts'

/** A run shorter than this shows nothing: loading the view would take longer than what it shows. */
const PATIENCE_MS = 400

interface View<Event> {
  update(event: Event, time: number): void
  stop(): void
}

/**
 * What a run says while it works, on stderr. On a terminal it is drawn by ink: progress once a run has proved long, a deploy at once.
 * Elsewhere progress is silent, and a deploy is a line for every event that matters. That a call is tried again is a line everywhere. The
 * views and ink are loaded only when needed.
 */
export function createProgress(
  terminal: Terminal,
  write: (text: string) => void = text => void process.stderr.write(text),
): { report(event: RunEvent): void; stop(): Promise<void> } {
  const progress = lazily<Pace>(async () => {
    const { mountProgress } = await import('./progress-view.tsx')
    return () => mountProgress(process.stderr)
  })
  const deploy = lazily<DeployEvent>(async () => {
    const { mountDeploy } = await import('./deploy-view.tsx')
    return () => mountDeploy(process.stderr)
  })
  let printed = Promise.resolve()
  const print = async (event: DeployEvent) => {
    const { deployLine } = await import('../deploy.ts')
    const line = deployLine(event)
    if (line !== undefined) write(`${line}\n`)
  }
  const printRetry = async (event: RetryEvent) => {
    const { retryLine } = await import('../deploy.ts')
    write(`${retryLine(event)}\n`)
  }
  let started: number | undefined
  let pace: Pace | undefined
  return {
    report(event) {
      const now = performance.now()
      if (event.type === 'deploy') {
        progress.stop()
        if (terminal.interactive) return deploy.update(event, now)
        printed = printed.then(() => print(event))
      } else if (event.type === 'retry') {
        printed = printed.then(() => printRetry(event))
      } else if (terminal.interactive) {
        started ??= now
        pace = paced(pace, event, now)
        if (now - started > PATIENCE_MS) progress.update(pace, now)
      }
    },
    async stop() {
      progress.stop()
      deploy.stop()
      await printed
    },
  }
}

/** A view that is loaded for its first event; it gets all of them, in order, and none once it is stopped. */
function lazily<Event>(load: () => Promise<() => View<Event>>): View<Event> {
  let view: View<Event> | undefined
  let waiting: [Event, number][] | undefined
  let stopped = false
  return {
    update(event, time) {
      if (stopped) return
      if (view !== undefined) return view.update(event, time)
      if (waiting !== undefined) return void waiting.push([event, time])
      const early: [Event, number][] = [[event, time]]
      waiting = early
      void load().then(mount => {
        if (stopped) return
        view = mount()
        for (const [event, time] of early) view.update(event, time)
      })
    },
    stop() {
      if (stopped) return
      stopped = true
      view?.stop()
    },
  }
}
