import { join, relative } from 'node:path'
import type { ProgressEvent } from '../../command.ts'
import { DapError, UsageError } from '../../errors.ts'
import { REPLAY_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { isUnlogged } from '../../log/check/check-outputs.ts'
import type { RecordFault } from '../../log/records/fault.ts'
import { readRecord } from '../../log/records/read-record.ts'
import { DECISION_SCHEMAS, type DecisionRecord, LEARNING } from '../../log/records/records.ts'
import { type ReplayResult, replay } from '../../log/records/replay.ts'
import { readBundle } from '../../policy/bundle.ts'
import { createPolicy, type Policy } from '../../policy/policy.ts'
import { loadSnapshot, readSnapshot, type Snapshot, snapshotDigest } from '../../policy/snapshot.ts'
import { filesBelow } from '../opening/found-files.ts'
import { readJson } from '../opening/policies.ts'
import type { Opened } from '../opening/repository.ts'
import { readLogs } from '../reading/log-files.ts'
import { createScoreCheck } from './scores.ts'

interface ReplayOptions {
  readonly replay: readonly string[]
  readonly policy: string | undefined
  readonly id: string | undefined
  readonly snapshot: string | undefined
}

/** Examples that are shown of what does not come out the same. */
const EXAMPLES = 10

/** Recomputes the decisions of a log with the policies and snapshots that its records name. */
export async function replayLog(
  host: Host,
  opened: Opened,
  { replay: paths, policy: wanted, id, snapshot }: ReplayOptions,
  report: (event: ProgressEvent) => void,
): Promise<ReplayResult> {
  const archive = await openArchive(host, opened, snapshot)
  const scores = createScoreCheck(host, opened)
  const examples: ReplayResult['examples'][number][] = []
  const unavailable = new Map<string, number>()
  let replayed = 0
  let same = 0

  function missing(reason: string): void {
    unavailable.set(reason, (unavailable.get(reason) ?? 0) + 1)
  }

  await readLogs(
    host,
    paths,
    {
      line(file, row, text) {
        // Most lines are passed over without being parsed when one decision is wanted.
        if (id !== undefined && !text.includes(JSON.stringify(id))) return
        const read = readRecord(text)
        if (!('decision' in read)) {
          if ('fault' in read && isBrokenDecision(read.fault, text)) missing(BROKEN)
          return
        }
        const record = read.decision
        if (id !== undefined && record.decisionId !== id) return
        if (wanted !== undefined && record.policy.name !== wanted) return
        const policy = archive.find(record)
        if (typeof policy === 'string') return missing(policy)
        const { model } = record
        if (model !== undefined && isUnlogged(model)) return missing(unlogged(model.name))
        if (model?.outputs !== undefined) scores.add(policy, record)
        replayed++
        const { same: equal, differences } = replay(policy, record)
        if (equal) same++
        else if (examples.length < EXAMPLES) {
          examples.push({ file, row, decisionId: record.decisionId, differences })
        }
      },
      endOfFile() {},
      settle: scores.settle,
    },
    report,
  ).finally(scores.close)
  if (replayed === 0 && unavailable.size === 0) {
    if (id === undefined) {
      throw new DapError(`no valid decision${wanted === undefined ? '' : ` of policy \`${wanted}\``} in the log`, {
        hint: '`dap log check` says what is in it',
      })
    }
    throw new UsageError(`the log has no decision \`${id}\``, { hint: '--id takes the `decisionId` of a record' })
  }
  const made = scores.finish()
  return {
    schema: REPLAY_RESULT_SCHEMA,
    replayed,
    same,
    unavailable: [...unavailable].map(([reason, count]) => ({ reason, count })),
    ...(made === undefined ? {} : { scores: made }),
    examples,
    passed: replayed > 0 && same === replayed && unavailable.size === 0 && made?.decisions === made?.within,
  }
}

const unlogged = (model: string): string =>
  `what the Model \`${model}\` gave was not logged (\`log: false\`), and its digits differ between machines`

const BROKEN = 'it is not of the published shape; `dap log check` says why'

/** A line that calls itself a decision and is none. Torn and foreign lines are for `dap log check` to name. */
function isBrokenDecision({ code }: RecordFault, line: string): boolean {
  return code !== 'json' && code !== 'schema' && DECISION_SCHEMAS.some(each => line.includes(each))
}

/** Every policy and every snapshot that is at hand, by digest. */
interface Archive {
  /** The policy as it was for that record, or a sentence about what is missing. */
  find(record: DecisionRecord): Policy | string
}

async function openArchive(host: Host, opened: Opened, snapshot: string | undefined): Promise<Archive> {
  const policies = new Map(opened.repository.all('Policy').map(({ name, spec, digest }) => [digest, { name, spec }]))
  const snapshots = new Map<string, Snapshot>()
  const addSnapshot = (json: unknown) => {
    const read = readSnapshot(json)
    if ('snapshot' in read) snapshots.set(snapshotDigest(read.snapshot), read.snapshot)
  }
  for (const path of await jsonFiles(host, opened, 'snapshots')) addSnapshot(await readJson(host, path))
  if (snapshot !== undefined) addSnapshot(await readJson(host, snapshot))
  for (const path of await jsonFiles(host, opened, 'bundles')) {
    const bundle = readBundle(await readJson(host, path))
    if ('faults' in bundle) throw new DapError(`bundle \`${relative(host.cwd, path)}\`: ${bundle.faults.join('; ')}`)
    const { name, spec, digest } = bundle.policy
    policies.set(digest, { name, spec })
    if (bundle.json.snapshot !== null) addSnapshot(bundle.json.snapshot)
  }
  const loaded = new Map<string, Policy | string>()

  function load({ policy: { name, digest, snapshot: state } }: DecisionRecord): Policy | string {
    if (state === LEARNING) return `policy \`${name}\` learnt from one decision to the next, as in a simulated log`
    const source = policies.get(digest)
    if (source === undefined)
      return `policy \`${name}\` was ${digest}, which is neither in the repository nor in bundles/: \`dap bundle\`, before a policy or its set is changed, keeps it`
    const policy = createPolicy(source.name, source.spec, digest)
    if (state === null) return policy
    const json = snapshots.get(state)
    if (json === undefined) return `snapshot ${state} of policy \`${name}\` is not in snapshots/ or bundles/`
    const result = loadSnapshot(policy, json, { migrate: true })
    return 'faults' in result ? `snapshot ${state}: ${result.faults.join('; ')}` : policy
  }

  return {
    find(record) {
      const key = `${record.policy.digest} ${record.policy.snapshot}`
      const policy = loaded.get(key) ?? load(record)
      loaded.set(key, policy)
      return policy
    },
  }
}

async function jsonFiles(host: Host, { root, roots }: Opened, name: string): Promise<string[]> {
  const folder = join(root, name)
  if (!(await host.files.isFolder(folder))) return []
  return (await filesBelow(host, folder, roots, path => path.endsWith('.json'))).map(({ path }) => path)
}
