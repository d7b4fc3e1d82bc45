import { DapError, messageOf } from '../../errors.ts'
import type { OpenModel } from '../../models/open-model.ts'
import type { Policy } from '../../policy/policy.ts'
import { poll } from '../follow.ts'
import { type Control, NOTHING_KILLED, parseControl } from './control.ts'

/** A policy that is ready to decide. Its learner does not change: another snapshot makes another ServedPolicy. */
export interface ServedPolicy {
  readonly policy: Policy
  /** Digest of the snapshot that the learner was loaded from. */
  readonly snapshot: string | null
  /** The Model that it asks, where it names one; opened and warm. */
  readonly model?: OpenModel
}

/** What is served now. */
export interface PolicySource {
  /** By name; replaced as a whole, so whoever holds the map sees one consistent set. */
  readonly policies: ReadonlyMap<string, ServedPolicy>
  /** Has somebody thrown the kill switch of this policy? Its fallback is then served. */
  killed(name: string): boolean
}

/** How it went with files that are followed. */
export interface Followed {
  /** How often they were taken over: at first, and whenever they had changed. */
  readonly reloads: number
  /** How often they were not, for another reason than before. */
  readonly failures: number
  /** When they were taken over last, milliseconds since 1970. */
  readonly at: number | undefined
  /** How much is wrong with them as they are now: while it is not 0, what is served is older than they are. */
  readonly faults: number
}

/** A PolicySource that follows its files. Before the first `reload` it serves nothing. */
export interface LivePolicySource extends PolicySource {
  /** The files of the policies, and that of the kill switch, where there is one. */
  readonly followed: { readonly policies: Followed; readonly control?: Followed }
  /**
   * Looks at the files and takes over what has changed. A policy that cannot be taken stays as it is served, and so do all that a fault hides; at the
   * start a fault of one leaves all out. Never rejects.
   */
  reload(): Promise<ReloadReport>
  /** Reloads every `pollMs`, and hands on the reports that say something. */
  start(onReport: (report: ReloadReport) => void): void
  stop(): void
  /** Closes what the policies ask, once nobody decides any more. */
  close(): Promise<void>
  /** Puts `next` in the place of `served`, unless something else has taken that place; never in the middle of a reload. */
  replace(served: ServedPolicy, next: ServedPolicy): Promise<void>
}

export interface ReloadReport {
  /** Names of the policies that are new, are gone, or decide differently now. */
  readonly changed: readonly string[]
  /** Why what is new is not served; each is reported once, until its files change again. */
  readonly faults: readonly string[]
  /** What to do about the first of them, where it is known. */
  readonly hint?: string
  /** Names of the policies that go on as they were for that. */
  readonly kept?: readonly string[]
  /** Where the kill switch was changed: what it says now. */
  readonly control?: Control
}

/**
 * The policies that can be served, by name, and why others cannot: where there is a fault, one that is not there may still be wanted. `hint` is what
 * to do about the first.
 */
export interface Loaded extends Pick<ReloadReport, 'faults' | 'hint'> {
  readonly policies: ReadonlyMap<string, ServedPolicy>
}

/** Where policies come from. */
export interface PolicyLoader {
  /** Cheap; another text whenever `load` might give something else. */
  stamp(): Promise<string>
  load(): Promise<Loaded>
}

/** The file of the kill switch. */
export interface ControlFile {
  stamp(): Promise<string>
  /** Undefined where there is none: nothing is killed then. */
  read(): Promise<string | undefined>
}

export interface PolicySourceParts {
  readonly loader: PolicyLoader
  readonly control?: ControlFile
  readonly pollMs: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export function createPolicySource({
  loader,
  control: file,
  pollMs,
  now = Date.now,
}: PolicySourceParts): LivePolicySource {
  let policies: ReadonlyMap<string, ServedPolicy> = new Map()
  /** As the files had them: what they still have does not take the place of what was put there since. */
  let loadedLast: ReadonlyMap<string, ServedPolicy> = new Map()
  let control = NOTHING_KILLED
  let endPolling = () => {}
  let last: Promise<unknown> = Promise.resolve()

  const policyFiles = watch(
    now,
    () => loader.stamp(),
    async () => {
      const { policies: found, faults: wrong, hint } = await loader.load()
      if (found.size + wrong.length === 0) return { changed: [], faults: ['no policy was found'] }
      if (wrong.length > 0 && policies.size === 0) {
        closeUnused(found)
        return { changed: [], faults: wrong, hint }
      }
      const silent = silentModels(found)
      const loaded = new Map([...found].filter(([name]) => !silent.has(name)))
      const faults = [...wrong, ...silent.values()]
      const kept = faults.length === 0 ? [] : [...policies.keys()].filter(name => !loaded.has(name))
      const changed = [...new Set([...policies.keys(), ...loaded.keys()])].filter(name => {
        const next = loaded.get(name)
        return !(
          kept.includes(name) ||
          sameDecider(policies.get(name), next) ||
          sameDecider(loadedLast.get(name), next)
        )
      })
      const withKept = (before: typeof policies, now: typeof policies) =>
        new Map([...[...before].filter(([name]) => kept.includes(name)), ...now])
      // What has not changed stays the same object, with all that it has worked out already.
      const next = [...loaded].map(
        ([name, now]) => [name, changed.includes(name) ? now : (policies.get(name) ?? now)] as const,
      )
      const before = policies
      if (changed.length > 0) policies = withKept(policies, new Map(next))
      loadedLast = withKept(loadedLast, loaded)
      closeUnused(before, found)
      const again = silent.size > 0
      return { changed, faults, hint, ...(kept.length === 0 ? {} : { kept }), ...(again ? { again } : {}) }
    },
  )

  /** What would take the place of a policy that is served, and asks a Model that has never answered, waits until it does. */
  function silentModels(found: ReadonlyMap<string, ServedPolicy>): ReadonlyMap<string, string> {
    const silent = [...found].filter(
      ([name, next]) => next.model?.heard === false && policies.has(name) && !sameDecider(policies.get(name), next),
    )
    return new Map(
      silent.map(([name, { model }]) => {
        const why = `the model \`${model?.scorer.name}\` has not answered yet`
        return [name, `policy \`${name}\` goes on as it was, and takes its new files over when it can: ${why}`]
      }),
    )
  }

  /** Lets go of the Models that nobody asks any more. */
  function closeUnused(...sets: readonly ReadonlyMap<string, ServedPolicy>[]): void {
    const used = new Set([...policies.values()].map(({ model }) => model))
    for (const { model } of sets.flatMap(set => [...set.values()])) {
      // What cannot be closed is nothing that anybody waits for.
      if (model !== undefined && !used.has(model)) model.close().catch(() => {})
    }
  }

  const controlFile = watch(
    now,
    async () => (await file?.stamp()) ?? '',
    async () => {
      const text = await file?.read()
      const parsed = text === undefined ? NOTHING_KILLED : parseControl(text)
      if ('fault' in parsed) return { changed: [], faults: [`${parsed.fault}; what was killed stays so`] }
      const same = parsed.reason === control.reason && parsed.killed.join() === control.killed.join()
      control = parsed
      const unknown = parsed.killed.filter(name => name !== '*' && !policies.has(name))
      return {
        changed: [],
        faults: unknown.map(name => `the control file kills \`${name}\`, which is not served here`),
        ...(same ? {} : { control }),
      }
    },
  )

  async function reload(): Promise<ReloadReport> {
    const first = await policyFiles.look()
    const second = await controlFile.look()
    return {
      ...second,
      ...first,
      faults: [...first.faults, ...second.faults],
      hint: first.hint ?? second.hint,
    }
  }

  const source: LivePolicySource = {
    get policies() {
      return policies
    },
    killed: name => control.killed.includes(name) || control.killed.includes('*'),
    followed: { policies: policyFiles.followed, ...(file === undefined ? {} : { control: controlFile.followed }) },
    reload() {
      const next = last.then(reload)
      last = next
      return next
    },
    start(onReport) {
      endPolling = poll(pollMs, source.reload, report => {
        if (report.changed.length + report.faults.length > 0 || report.control !== undefined) onReport(report)
      })
    },
    stop: () => endPolling(),
    async close() {
      await last
      for (const { model } of policies.values()) await model?.close().catch(() => {})
    },
    replace(served, next) {
      const { name } = served.policy
      const done = last.then(() => {
        if (sameDecider(policies.get(name), served)) policies = new Map(policies).set(name, next)
      })
      last = done
      return done
    },
  }
  return source
}

/** A report of files that have not all been taken over, though nothing is wrong with them: they are to be looked at again. */
interface Looked extends ReloadReport {
  readonly again?: boolean
}

interface Watch {
  look(): Promise<ReloadReport>
  readonly followed: Followed
}

/** Looks only where the stamp has changed since. What cannot be read is tried again each time, and reported when the reason is new. */
function watch(now: () => number, stamp: () => Promise<string>, look: () => Promise<Looked>): Watch {
  const followed = { reloads: 0, failures: 0, at: undefined as number | undefined, faults: 0 }
  let seen: string | undefined
  /** Of the files as they were seen. */
  let faults = 0
  let trouble: string | undefined
  return {
    followed,
    async look() {
      try {
        const found = await stamp()
        if (found === seen) {
          followed.faults = faults
          return NOTHING_NEW
        }
        const { again = false, ...report } = await look()
        seen = again ? undefined : found
        faults = followed.faults = report.faults.length
        const told = report.faults.join('\n')
        const repeated = again && told === trouble
        trouble = again ? told : undefined
        if (repeated) return NOTHING_NEW
        if (faults > 0) followed.failures++
        else {
          followed.reloads++
          followed.at = now()
        }
        return report
      } catch (error) {
        followed.faults = 1
        const message = messageOf(error)
        if (message === trouble) return NOTHING_NEW
        trouble = message
        followed.failures++
        return { changed: [], faults: [message], hint: error instanceof DapError ? error.hint : undefined }
      }
    },
  }
}

const NOTHING_NEW: ReloadReport = { changed: [], faults: [] }

/** Do they decide the same, always? */
export function sameDecider(a: ServedPolicy | undefined, b: ServedPolicy | undefined): boolean {
  return a?.policy.digest === b?.policy.digest && a?.snapshot === b?.snapshot
}
