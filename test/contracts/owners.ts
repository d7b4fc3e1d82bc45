import { describe, expect, it } from 'vitest'
import type { Facts } from '../../src/deploy/memory.ts'
import { applyAll } from '../../src/deploy/operating/apply-all.ts'
import { collectGarbage } from '../../src/deploy/operating/remove.ts'
import { rollbackDeployment } from '../../src/deploy/operating/rollback.ts'
import { judgedDigest, partsOf } from '../../src/deploy/parts.ts'
import type { Clock } from '../../src/deploy/patience.ts'
import type { Cloud, Release, Route } from '../../src/deploy/routes.ts'
import { type Actual, actualOf, located, readActual, withReleases } from '../../src/deploy/wanted/actual.ts'
import type { Desired, Target } from '../../src/deploy/wanted/desired.ts'
import type { Declarations } from '../../src/deploy/wanted/orphans.ts'
import type { Naming } from '../../src/deploy/wanted/ownership.ts'
import { makePlan, type Plan } from '../../src/deploy/wanted/plan.ts'
import { DapError } from '../../src/errors.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { canonicalJson } from '../../src/policy/digest.ts'
import type { DeploymentOutcome } from '../../src/results.ts'
import { bundleText, cloudAt, desiredState, type Edit, engineOf, OPTIONS, TARGET } from '../support/deploying.ts'
import { faulty, unavailable } from '../support/faults.ts'

export interface OwnersWorld {
  readonly cloud: Cloud
  readonly clock: Clock
  /** Somebody takes away what dap remembers of an endpoint, or a part of that, or writes nonsense into it; the lock only with all else. */
  wipe(endpoint: string, rng: Rng): Promise<void>
  close?(): Promise<void>
}

/** Of all calls: half of them are done all the same. */
const CUT = 0.06
const WORDS = ['edit', 'deploy', 'step', 'rollback', 'wipe', 'rename', 'collect', 'release'] as const
const ROLLOUT = { steps: [{ traffic: 0.1, hold: '20s' }, { traffic: 0.5, hold: '10s' }, { traffic: 1 }] }

/**
 * Two repositories of one name in one place, which edit, deploy, roll back and rename at random, while somebody takes away what dap remembers in
 * the middle of it and every sixteenth answer is lost. At all times nothing of the other one is touched and what was rolled back has no
 * traffic; in the end an ordinary deploy of either makes the cloud what its Git says.
 */
export function ownersContract(name: string, create: () => OwnersWorld | Promise<OwnersWorld>, runs: number): void {
  describe(`two repositories of one name at ${name}`, () => {
    it(
      `converge, and leave each other alone: ${runs} times`,
      async () => {
        const seen = new Map<string, number>()
        for (let seed = 0; seed < runs; seed++) {
          const world = await create()
          await tell(world, stream(seed, 'owners'), seen).catch(error => {
            throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
          })
          await world.close?.()
        }
        // Each of what the stories are about has happened, and often; of a few stories that is chance.
        if (runs < 100) return
        for (const what of ['wiped mid-run', 'wiped', 'held', 'rolled back', 'released', 'moved', 'renamed']) {
          expect(`${what}: ${(seen.get(what) ?? 0) >= runs / 20}`).toBe(`${what}: true`)
        }
      },
      60_000 + 1000 * runs,
    )
  })
}

/** One repository, as its Git is. */
interface Repository {
  target: Target
  deployment: string
  before: Naming[]
  edit: Edit
  /** Judged digests of what was rolled back and not released. */
  readonly held: Set<string>
}

async function tell(world: OwnersWorld, rng: Rng, seen: Map<string, number>): Promise<void> {
  const { cloud, clock } = world
  const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(rng.uniform() * of.length)]
  const repositories: Repository[] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'].map(projectId => ({
    target: { ...TARGET, projectId },
    deployment: 'offer',
    before: [],
    edit: { rollout: ROLLOUT },
    held: new Set(),
  }))
  const cut = faulty(cloud, {
    before: () => (rng.uniform() < CUT / 2 ? unavailable() : undefined),
    after: () => (rng.uniform() < CUT / 2 ? unavailable() : undefined),
  })
  for (let i = 0; i < 14; i++) {
    const [ours, theirs] = rng.uniform() < 0.5 ? repositories : [...repositories].reverse()
    const before = await thingsOf(cloud, theirs)
    const word = i < 2 ? 'deploy' : pick(WORDS)
    // In the middle of it somebody takes away what the endpoint remembers.
    const at = rng.uniform() < 0.5 ? Math.floor(rng.uniform() * 60) : -1
    let call = 0
    const harmed = faulty(cut, {
      async before() {
        if (call++ === at && (await wipe(world, ours, rng))) note('wiped mid-run')
      },
    })
    await outwait(ours)
    await act(word, ours, harmed)
    expect(canonicalJson(await thingsOf(cloud, theirs)), `${word} has touched what is not its own`).toBe(
      canonicalJson(before),
    )
    await refuseHeld(cloud, ours)
  }
  for (const repository of repositories) {
    const wanted = stateOf(repository)
    await outwait(repository)
    const [outcome] = await deploy(repository, cut)
    const isHeld = await asksForHeld(repository)
    expect([outcome.state, outcome.reason]).toEqual(
      isHeld ? ['held', expect.any(String)] : [expect.stringMatching(/^(applied|unchanged)$/), null],
    )
    const { plan, actual } = await look(repository, cloud)
    expect(plan.deployments.flatMap(({ changes }) => changes)).toEqual([])
    const { endpoint } = actualOf(actual, located(wanted, actual))
    const serving = Object.entries(endpoint!.traffic).filter(([, percent]) => percent > 0)
    expect(serving).toHaveLength(1)
    if (!isHeld) expect(serving).toEqual([[located(wanted, actual).deployed.id, 100]])
    expect(endpoint!.memory).toMatchObject({
      owner: repository.target.projectId,
      environment: repository.target.environment,
      deployment: repository.deployment,
    })
    expect(actual.endpoints).toHaveLength(1)
  }
  expect(await cloud.listRoutes()).toHaveLength(2)

  /** A run that could not give its lock back for want of an answer is waited for. */
  async function outwait(repository: Repository): Promise<void> {
    const { endpoint } = located(stateOf(repository), (await look(repository, cloud)).actual)
    const lock = (await cloud.getRoute(endpoint.id))?.memory?.lock
    if (lock !== undefined) await clock.sleep(Math.max(0, lock.expires * 1000 - clock.now()) + 1000)
  }

  async function act(word: (typeof WORDS)[number], repository: Repository, harmed: Cloud): Promise<void> {
    const { edit } = repository
    switch (word) {
      case 'edit': {
        const edits: Edit[] = [
          { policy: pick(['first', 'second', 'third']) },
          { policy: pick(['first', 'second', 'third']) },
          { maxReplicas: 2 + Math.floor(rng.uniform() * 8) },
          { machineType: `n2-standard-${2 ** (1 + Math.floor(rng.uniform() * 3))}` },
          { description: `edit ${Math.floor(rng.uniform() * 1e6)}` },
        ]
        repository.edit = { ...edit, ...pick(edits) }
        return expectDone(await deploy(repository, harmed), repository)
      }
      case 'deploy':
        return expectDone(await deploy(repository, harmed), repository)
      case 'step': {
        repository.edit = { ...edit, policy: pick(['first', 'second', 'third']) }
        const times = 1 + Math.floor(rng.uniform() * 3)
        for (let i = 0; i < times; i++) {
          await deploy(repository, harmed, { step: true })
          await outwait(repository)
        }
        return
      }
      case 'release': {
        if (await asksForHeld(repository)) note('released')
        for (const name of await namesOf(repository)) repository.held.delete(name)
        return expectDone(await deploy(repository, harmed, { releaseHold: true }), repository)
      }
      case 'rollback':
        return rollback(repository, harmed)
      case 'wipe': {
        if (await wipe(world, repository, rng)) note('wiped')
        return
      }
      case 'rename': {
        const { target, deployment } = repository
        const names = { environment: target.environment, deployment }
        const what = rng.uniform()
        if (what < 0.3) {
          repository.target = { ...target, project: pick(['shop', 'store', 'games']) }
          note('renamed')
        } else {
          if (what < 0.6) repository.deployment = pick(['offer', 'banner', 'price'])
          else repository.target = { ...target, environment: pick(['local', 'dev', 'prod']) }
          const moved = { environment: repository.target.environment, deployment: repository.deployment }
          if (canonicalJson(moved) === canonicalJson(names)) return
          // What `moved` says is true until it was deployed.
          repository.before = [names, ...repository.before]
          note('moved')
        }
        return expectDone(await deploy(repository, harmed), repository)
      }
      case 'collect': {
        await clock.sleep(25 * 3_600_000)
        const engine = engineOf(harmed, clock, repository)
        const { actual } = await look(repository, harmed)
        const { endpoint, model } = located(stateOf(repository), actual)
        const whose = { deployment: repository.deployment, endpoint: endpoint.id, shelf: model.id }
        const { state } = await collectGarbage(whose, undefined, engine)
        expect(state).toMatch(/^(applied|unchanged)$/)
      }
    }
  }

  async function expectDone(outcomes: readonly DeploymentOutcome[], repository: Repository): Promise<void> {
    const [{ state, reason }] = outcomes
    const isHeld = await asksForHeld(repository)
    if (isHeld) note('held')
    expect(`${state}: ${reason}`).toMatch(isHeld ? /^held: / : /^(applied|unchanged): null$/)
    repository.before = []
  }

  /** What a hold may call it that Git asks for. */
  async function namesOf(repository: Repository): Promise<string[]> {
    const desired = stateOf(repository)
    const { actual } = await look(repository, cloud)
    return [judgedDigest(partsOf(desired)), located(desired, actual).deployed.id]
  }

  async function asksForHeld(repository: Repository): Promise<boolean> {
    return (await namesOf(repository)).some(name => repository.held.has(name))
  }

  async function rollback(repository: Repository, harmed: Cloud): Promise<void> {
    const { actual } = await look(repository, harmed)
    const { endpoint, model } = located(stateOf(repository), actual)
    const left = await leftByRollback(cloud, endpoint.id, model.id)
    const whose = { deployment: repository.deployment, endpoint: endpoint.id, shelf: model.id }
    try {
      const { state, reason } = await rollbackDeployment(whose, engineOf(harmed, clock, repository))
      expect(`${state}: ${reason}`).toBe('rolled-back: null')
      repository.held.add(left!)
      note('rolled back')
      if (rng.uniform() < 0.5) return await expectDone(await deploy(repository, harmed), repository)
    } catch (error) {
      if (!(error instanceof DapError) || !/nothing to roll|is not deployed|is on hold/.test(error.message)) throw error
    }
  }

  /** As `dap plan` looks at it. */
  async function look(repository: Repository, at: Cloud, options = {}): Promise<{ plan: Plan; actual: Actual }> {
    const { target, deployment, before } = repository
    const desired = stateOf(repository)
    const declared: Declarations = {
      here: [{ deployment, before }],
      everywhere: new Set([`${target.environment}/${deployment}`]),
      environments: new Set([target.environment]),
    }
    const patient = at.patiently({ clock, rng: stream(1, 'look') })
    const actual = await withReleases(patient, await readActual(patient, target, declared.here), [desired])
    const plan = makePlan({
      ...{ dap: '0.1.0', now: clock.now(), commit: null, target, only: null, acceptDrift: false, prune: false },
      ...{ releaseHold: false, overrideProtection: [], deployments: [{ desired, evidence: [] }], declared, actual },
      ...{ behind: [], notes: [], origin: null },
      ...options,
    })
    return { plan, actual }
  }

  async function deploy(repository: Repository, at: Cloud, options = {}): Promise<readonly DeploymentOutcome[]> {
    const { plan } = await look(repository, at, options)
    expect(plan.deployments[0].blocked).toEqual([])
    return applyAll(plan, engineOf(at, clock, repository), {
      ...OPTIONS,
      ...options,
      concurrency: 1,
      bundleText,
      cloudAt,
    })
  }
}

const stateOf = ({ target, deployment, edit }: Repository): Desired => desiredState({ ...edit, deployment }, target)

/** All routes and releases of a repository, whole: by its id, which somebody may have taken away from the route but not from the release. */
async function thingsOf(cloud: Cloud, { target: { projectId } }: Repository): Promise<unknown> {
  const routes = await cloud.listRoutes()
  const current = await cloud.listReleases()
  const own = current.filter(({ whose }) => whose?.owner === projectId)
  const releases = await Promise.all(own.map(({ shelf }) => cloud.releasesOf(shelf)))
  const serving = new Set(own.map(({ copy }) => copy?.route))
  return { routes: routes.filter(({ id, memory }) => memory?.owner === projectId || serving.has(id)), releases }
}

async function wipe(world: OwnersWorld, { target: { projectId } }: Repository, rng: Rng): Promise<boolean> {
  const own = (await world.cloud.listRoutes()).find(({ memory }) => memory?.owner === projectId)
  if (own !== undefined) await world.wipe(own.id, rng)
  return own !== undefined
}

/** What a rollback leaves: the candidate of a rollout, or else what serves; by what it decides, or by its id where that stays the same. */
async function leftByRollback(cloud: Cloud, id: string, shelf: string): Promise<string | undefined> {
  const live = await cloud.getRoute(id)
  const releases = await cloud.releasesOf(shelf)
  if (live === undefined) return undefined
  const copy = releases.find(({ current }) => current)?.copy?.facts ?? {}
  const facts: Facts = live.intact ? (live.memory ?? {}) : copy
  const rolling = facts.candidate !== undefined && facts.candidate !== facts.stable
  const [left, back] = rolling ? [facts.candidate, facts.stable] : [facts.stable, facts.previous]
  const [judged, other] = [left, back].map(workload => judgedAs(live, releases, workload))
  // What is gone is deployed again.
  const parts = releases.find(each => each.id === facts.previousVersion)?.parts
  return judged !== (other ?? (parts && judgedDigest(parts))) ? judged : left
}

function judgedAs(route: Route, releases: readonly Release[], id: string | undefined): string | undefined {
  const workload = route.workloads.find(each => each.id === id)
  const parts = releases.find(each => each.shelf === workload?.shelf && each.id === workload.release)?.parts
  return parts && judgedDigest(parts)
}

/** What was rolled back has no traffic. */
async function refuseHeld(cloud: Cloud, { target: { projectId }, held }: Repository): Promise<void> {
  for (const { shelf, whose, copy } of await cloud.listReleases()) {
    if (whose?.owner !== projectId) continue
    const releases = await cloud.releasesOf(shelf)
    const route = await cloud.getRoute(copy?.route ?? '')
    const serving = Object.entries(route?.traffic ?? {}).filter(([, percent]) => percent > 0)
    for (const [id] of serving) {
      const judged = judgedAs(route!, releases, id)
      if (judged !== undefined && held.has(judged)) throw new Error('what was rolled back has traffic again')
    }
  }
}
