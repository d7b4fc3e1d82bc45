import type { TextContext } from '../command.ts'
import type { DeploymentStatus, LiveModel, LockResult, StatusResult } from '../results.ts'
import { cleaned, driftTable, indented, shortCommit, tally, timeText } from './cloud.ts'
import { plural } from './numbers.ts'
import { foreignText, orphansText } from './plan.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What runs, a row a deployed model; below it why a deployment is not as Git says. */
export function statusText(untrusted: StatusResult, context: TextContext): string {
  const { environment, commit, deployments, orphans, foreign, notes, synced } = cleaned(untrusted)
  const { style } = context
  const at =
    commit === null ? '' : ` against commit ${shortCommit(commit.id)}${commit.dirty ? ' with uncommitted changes' : ''}`
  const parts = [
    `${style.bold(environment)}${at}`,
    ...(deployments.length === 0 ? [] : [modelsTable(deployments, context)]),
    ...deployments.filter(isNotable).map(each => notableText(each, context)),
    ...(orphans.length === 0 ? [] : [orphansText(orphans, environment, context)]),
    ...(foreign.length === 0 ? [] : [foreignText(foreign, environment, context)]),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    summaryText(deployments, orphans.length, environment, synced),
  ]
  return parts.join('\n\n')
}

/** Who holds which lock until when. */
export function locksText(untrusted: LockResult, context: TextContext): string {
  const { style } = context
  const { command, environment, locks } = cleaned(untrusted)
  if (command === 'break')
    return locks
      .map(({ deployment, run, owner }) => `broke the lock of ${deployment}: run ${run} of ${owner}`)
      .join('\n')
  if (locks.length === 0) return `no deployment of ${environment} is locked`
  return table(
    [
      { title: 'deployment', copied: true },
      { title: 'run', copied: true },
      { title: 'owner', drop: 1 },
      { title: 'expires' },
      { title: '', prose: true },
    ],
    locks.map(({ deployment, run, owner, expires, expired }) => [
      deployment,
      run,
      owner,
      timeText(expires),
      expired ? style.dim('expired: the next run takes it over') : '',
    ]),
    context,
  )
}

const SYMBOLS: Readonly<Record<DeploymentStatus['state'], string>> = {
  synced: '=',
  behind: '~',
  drifted: '!',
  rolling: '→',
  paused: '!',
  held: '←',
  absent: '+',
}

function modelsTable(deployments: readonly DeploymentStatus[], context: TextContext): string {
  const { style } = context
  const rows = deployments.flatMap(({ deployment, state, live }) => {
    const head = [SYMBOLS[state], deployment, state === 'synced' ? style.green(state) : style.yellow(state)]
    if (live.length === 0) return [[...head, 'nothing runs', '', '', '', '', '']]
    return live.map((model, i) => [...(i === 0 ? head : ['', '', '']), ...modelCells(model, style)])
  })
  return table(
    [
      { title: '' },
      { title: 'deployment', copied: true },
      { title: 'state' },
      { title: 'version', copied: true },
      { title: 'role', drop: 1 },
      { title: 'traffic', align: 'right' },
      { title: 'replicas', drop: 2 },
      { title: 'machine', drop: 3 },
      { title: '', prose: true },
    ],
    rows,
    context,
  )
}

function modelCells(model: LiveModel, style: Style): string[] {
  const { displayName, role, traffic, machineType, minReplicas, maxReplicas, available, warmUntil, idle } = model
  const range = minReplicas === maxReplicas ? `${maxReplicas}` : `${minReplicas} to ${maxReplicas}`
  const remarks = [
    ...(idle ? [style.yellow(warmUntil === null ? 'idle: costs money without traffic' : 'idle')] : []),
    ...(warmUntil === null ? [] : [`warm until ${timeText(warmUntil)}`]),
  ]
  return [
    displayName,
    role,
    `${traffic} %`,
    available === null ? range : `${available} of ${range}`,
    machineType,
    remarks.join(', '),
  ]
}

const isNotable = ({ reason, drift, lock }: DeploymentStatus) => reason !== null || drift.length > 0 || lock !== null

function notableText({ deployment, state, reason, drift, lock }: DeploymentStatus, context: TextContext): string {
  const { style, columns } = context
  const lines = [
    ...(drift.length === 0 ? [] : [driftTable(drift, { style, columns: columns - 2 })]),
    ...(lock === null
      ? []
      : [
          lock.expired
            ? `the lock of run ${lock.run} (${lock.owner}) has expired: the next run takes it over`
            : `locked by run ${lock.run} (${lock.owner}) until ${timeText(lock.expires)}`,
        ]),
  ]
  return [
    `${SYMBOLS[state]} ${style.bold(deployment)}${reason === null ? '' : `  ${reason}`}`,
    ...lines.map(line => indented(line)),
  ].join('\n')
}

function summaryText(
  deployments: readonly DeploymentStatus[],
  orphans: number,
  environment: string,
  synced: boolean,
): string {
  if (synced) {
    return deployments.length === 0
      ? `Git has no Deployment for ${environment}.`
      : `Everything runs as Git says: ${plural(deployments.length, 'deployment')}.`
  }
  const counts = tally(
    deployments.map(({ state }) => state),
    {
      synced: 'synced',
      behind: 'behind',
      drifted: 'drifted',
      rolling: 'rolling out',
      paused: 'paused',
      held: 'held',
      absent: 'absent',
    },
  )
  if (orphans === 0 && deployments.every(({ state }) => state === 'synced' || state === 'held')) {
    return `${counts}: until Git asks for something else, or \`dap deploy --env ${environment} --release-hold\``
  }
  const parts = [counts, orphans === 0 ? '' : plural(orphans, 'orphan')].filter(part => part !== '')
  return `${parts.join(', ')}; \`dap plan --env ${environment}\` says what would set it right`
}
