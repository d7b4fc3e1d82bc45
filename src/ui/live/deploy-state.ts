import type { DeployEvent, DeploymentState, GateReading } from '../../deploy/doing/events.ts'
import type { Traffic } from '../../deploy/routes.ts'
import { cleaned } from '../cloud.ts'

/** What the events of a deploy come to: all that its live view draws. Times are in ms, of the clock of whoever folds. */
export interface DeployView {
  /** As they were first heard of. */
  readonly deployments: readonly DeploymentView[]
}

export interface DeploymentView {
  readonly deployment: string
  readonly changes: readonly ChangeView[]
  readonly names: Readonly<Record<string, string>>
  readonly traffic: Traffic | null
  /** Deployed models, the one that got traffic last first: the order of the bar. */
  readonly order: readonly string[]
  /** Of the hold under way, or of the one that the deploy ended in. */
  readonly hold: { readonly ends: number; readonly gates: readonly GateReading[] } | null
  /** Said last: a note, or a call that is tried again. */
  readonly note: string | null
  /** null: it is being worked on, or waits. */
  readonly state: DeploymentState | null
  readonly reason: string | null
}

export interface ChangeView {
  readonly title: string
  readonly started: number | null
  readonly done: boolean
  /** What the cloud says it is doing, as it says it. */
  readonly stage: string | null
}

export const NOTHING_YET: DeployView = { deployments: [] }

/** `at`: when the event came. */
export function fold({ deployments }: DeployView, event: DeployEvent, at: number): DeployView {
  const known = deployments.find(({ deployment }) => deployment === event.deployment)
  const next = foldOne(known ?? blank(event.deployment), cleaned(event), at)
  return {
    deployments: known ? deployments.map(each => (each === known ? next : each)) : [...deployments, next],
  }
}

const blank = (deployment: string): DeploymentView => ({
  deployment,
  changes: [],
  names: {},
  traffic: null,
  order: [],
  hold: null,
  note: null,
  state: null,
  reason: null,
})

function foldOne(view: DeploymentView, event: DeployEvent, at: number): DeploymentView {
  switch (event.event) {
    case 'planned':
      return {
        ...view,
        changes: event.changes.map(({ title }) => ({ title, started: null, done: false, stage: null })),
      }
    case 'started': {
      const started = { title: event.title, started: at, done: false, stage: null }
      // What was not planned comes to be done, too, when somebody interferes.
      const changes =
        event.change in view.changes ? view.changes.with(event.change, started) : [...view.changes, started]
      return { ...view, changes, note: null, hold: null }
    }
    case 'stage':
      return { ...view, changes: atWork(view.changes, { stage: event.stage }) }
    case 'done':
      return { ...view, changes: atWork(view.changes, { done: true }), note: null, hold: null }
    case 'traffic': {
      const { traffic, names } = event
      const fresh = Object.keys(traffic).filter(id => !view.order.includes(id))
      return {
        ...view,
        traffic,
        names: { ...view.names, ...names },
        order: [...fresh.sort((a, b) => traffic[a] - traffic[b]), ...view.order],
      }
    }
    case 'gates':
      return { ...view, hold: { ends: at + event.leftMs, gates: event.gates } }
    case 'retry':
      return { ...view, note: `${event.call} again: ${event.reason}` }
    case 'note':
      return { ...view, note: event.text }
    case 'finished':
      return { ...view, state: event.state, reason: event.reason, note: null }
    case 'locked':
    case 'operation':
      return view
  }
}

/** The change that has been started last and is not done. */
export const isAtWork = ({ started, done }: ChangeView) => started !== null && !done

function atWork(changes: readonly ChangeView[], patch: Partial<ChangeView>): readonly ChangeView[] {
  const index = changes.findLastIndex(isAtWork)
  return index === -1 ? changes : changes.with(index, { ...changes[index], ...patch })
}
