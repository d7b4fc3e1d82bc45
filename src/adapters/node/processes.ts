import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** One process among all that ever had its number: of letters, digits, dots and dashes. */
export interface ProcessIdentity {
  /** Where the number counts: the machine, and the container on it. */
  readonly host: string
  readonly pid: number
  /** When it began, in a form that is only good to be compared; absent where this machine does not tell. */
  readonly started?: string
}

let here: string | undefined
let self: ProcessIdentity | undefined

export function thisProcess(): ProcessIdentity {
  self ??= identity(process.pid, look(process.pid))
  return self
}

/**
 * Is that very process there, and not another that has its number since? `unknown` where this machine cannot tell: the process is elsewhere,
 * or the number is taken and nobody says since when.
 */
export function isAlive({ host, pid, started }: ProcessIdentity): boolean | 'unknown' {
  if (host !== thisHost()) return 'unknown'
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isTaken(pid)) return false
  const now = look(pid)
  if (now === 'zombie') return false
  if (now === 'unseen' || started === undefined) return 'unknown'
  return now.started === started
}

/** A process that has ended stays a `zombie` until its parent takes note. */
export type Look = { readonly started: string } | 'zombie' | 'unseen'

const look = (pid: number): Look => (process.platform === 'linux' ? lookInProc(pid) : lookWithPs(pid))

const identity = (pid: number, seen: Look): ProcessIdentity =>
  typeof seen === 'string' ? { host: thisHost(), pid } : { host: thisHost(), pid, started: seen.started }

function thisHost(): string {
  here ??= [hostname(), ...placeDigest()].join('-').replaceAll(/[^A-Za-z0-9.-]/g, '-')
  return here
}

/** Names of machines repeat (`ubuntu`, `localhost`); containers on one machine may share its name and yet number their processes anew. */
function placeDigest(): string[] {
  if (process.platform !== 'linux') return []
  const machine = attempt(() => readFileSync('/etc/machine-id', 'utf8').trim())
  const numbering = attempt(() => readlinkSync('/proc/self/ns/pid'))
  return [createHash('sha256').update(`${machine} ${numbering}`).digest('hex').slice(0, 8)]
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Ticks since this boot; the boot has an id, since after another one the same tick may come again. proc_pid_stat(5), fields 3 and 22. */
export function lookInProc(pid: number): Look {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))
  if (stat === undefined) return 'unseen'
  // The second field is the program's name in brackets, which may contain both spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return seen(fields[0], `${(boot ?? '').slice(0, 8)}-${fields[19]}`)
}

/** Windows has no `ps`. */
export function lookWithPs(pid: number): Look {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
  const line = attempt(() =>
    execFileSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )
  const [, state, started] = /^\s*(\S+)\s+(.+?)\s*$/.exec(line ?? '') ?? []
  return started === undefined ? 'unseen' : seen(state, String(Date.parse(`${started} UTC`) / 1000))
}

const seen = (state: string | undefined, started: string): Look => (/^[ZX]/.test(state ?? '') ? 'zombie' : { started })

/** Nothing where a file cannot be read or a program cannot be run: one may always ask. */
function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}
