/** What dap remembers with what runs: there is no state file. How a target keeps it is that target's business. */
import type { Commit, Scale, Traffic } from '../generated/types.ts'

/** Whose something is: an owner is a repository. */
export interface Owner {
  /** The `projectId` of the repository. */
  readonly projectId: string
  /** The Project's name, for people. */
  readonly project: string
  readonly environment: string
}

/** Who something is: what dap knows of all that it has made. */
export interface Identity {
  /** The `projectId` of the repository; absent where it is older than those. */
  readonly owner?: string
  /** For people: names are those of any number of repositories. */
  readonly project: string
  readonly environment: string
  readonly deployment: string
}

/** Of one endpoint. Each may be absent: it was never so, or somebody took it away, or the target had no room for it. */
export interface Memory extends Identity, Facts {
  /** As dap last wrote it: what differs now was moved by somebody else. */
  readonly traffic?: Traffic
  readonly lock?: Lock
}

/** What is to be known of an endpoint after somebody took away what it says itself: traffic is live, and a lock ends. */
export interface Facts {
  /** `Desired.digest` of what was last applied whole. */
  readonly digest?: string
  /** Its first 40 hex digits, and `-dirty` where files differed from it. */
  readonly commit?: string
  /** `originDigest` of the clone that applied it: a copied repository has the id of its original, and another origin. */
  readonly origin?: string
  /** Ids of deployed models. The one that serves once no rollout is under way. */
  readonly stable?: string
  /** The one that a rollout is about; written before it is deployed. */
  readonly candidate?: string
  /** What it is judged as (`judgedDigest`): a rollback of the rollout puts that on hold. */
  readonly candidateDigest?: string
  /** The one that a rollback goes back to. It is kept warm until `warmUntil`; then `dap gc` undeploys it. */
  readonly previous?: string
  /** `Desired.digest` and model version of `previous`. */
  readonly previousDigest?: string
  readonly previousVersion?: string
  /** Seconds since 1970. */
  readonly warmUntil?: number
  /** As dap last wrote it. */
  readonly scale?: Scale
  /** The step of the rollout that traffic is at, and since when, in seconds since 1970. */
  readonly step?: { readonly index: number; readonly since: number; readonly state: 'holding' | 'passed' | 'paused' }
  /** What was rolled back last, by `judgedDigest` or by its deployed model's id: it is not brought back unless asked for. */
  readonly hold?: string
}

export interface Lock {
  /** Who holds it: 8 hex digits of one run. */
  readonly run: string
  /** Seconds since 1970. */
  readonly expires: number
  /** A person and a machine, or a CI job. */
  readonly owner: string
  /** Absent in locks of dap before it wrote this. */
  readonly process?: LockProcess
}

/** One process among all that ever had its number. */
export interface LockProcess {
  /** 16 hex digits of where the number counts: the machine, and the container on it. */
  readonly host: string
  readonly pid: number
  /** When it began, in a form that is only good to be compared: up to 32 letters, digits and dashes; null where its machine does not tell. */
  readonly started: string | null
}

/** Whose an endpoint of Git's is. */
export function identityOf(
  { deployment }: { readonly deployment: string },
  { projectId, project, environment }: Owner,
): Identity & { readonly owner: string } {
  return { owner: projectId, project, environment, deployment }
}

/** As `Facts.commit`. */
export function commitText({ id, dirty }: Commit): string {
  const digits = id.slice(0, 40)
  return dirty ? `${digits}-dirty` : digits
}

const FACTS: { readonly [K in keyof Facts]-?: true } = {
  digest: true,
  commit: true,
  origin: true,
  stable: true,
  candidate: true,
  candidateDigest: true,
  previous: true,
  previousDigest: true,
  previousVersion: true,
  warmUntil: true,
  scale: true,
  step: true,
  hold: true,
}

export const FACT_NAMES = Object.keys(FACTS) as readonly (keyof Facts)[]

/** Those of its facts that are there. */
export function factsOf(memory: Facts): Facts {
  return Object.fromEntries(FACT_NAMES.flatMap(name => (memory[name] === undefined ? [] : [[name, memory[name]]])))
}
