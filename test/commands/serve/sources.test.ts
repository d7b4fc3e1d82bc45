import { mkdir, rm, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { publishSnapshot } from '../../../src/commands/opening/policies.ts'
import { bundleLoader, controlFile, repositoryLoader } from '../../../src/commands/serve/sources.ts'
import type { Host } from '../../../src/host.ts'
import { type Bundle, bundleText, createBundle } from '../../../src/policy/bundle.ts'
import { decide } from '../../../src/policy/decide.ts'
import { resourceDigest } from '../../../src/policy/digest.ts'
import { createPolicy, type Policy } from '../../../src/policy/policy.ts'
import { snapshotDigest, snapshotText, takeSnapshot } from '../../../src/policy/snapshot.ts'
import { createPolicySource } from '../../../src/serve/deciding/policies.ts'
import { policySpec } from '../../policy/support.ts'
import { LEVELS } from '../../support/action-sets.ts'
import { onDisk, put } from '../../support/disk.ts'
import { resource } from '../../support/repository.ts'
import { dapIn } from '../../support/run-dap.ts'

/** A real folder, and as much of a Host as loaders touch. */
async function place(files: Readonly<Record<string, string>> = {}) {
  const folder = await onDisk(files)
  const host = { cwd: folder, files: nodeFiles(), environment: () => undefined } as unknown as Host
  return {
    folder,
    host,
    put: (path: string, text: string) => put(folder, path, text),
    remove: (path: string) => rm(join(folder, path)),
  }
}

function bundleOf(name: string, salt?: string): Bundle {
  const spec = { ...policySpec(), ...(salt === undefined ? {} : { salt }) }
  const policy = createPolicy(name, spec, resourceDigest('Policy', name, spec))
  return createBundle(policy, takeSnapshot(policy), '0.2.0')
}

const bundle = (name: string, salt?: string) => bundleText(bundleOf(name, salt))

describe('bundles', () => {
  it('are served from a file, a folder and a file:// URL, two folders deep and no deeper', async () => {
    const { folder, host } = await place({
      'b/bundle.json': bundle('top'),
      'b/offer-1/bundle.json': bundle('offer'),
      'b/team/level-1/bundle.json': bundle('level'),
      'b/a/b/c/bundle.json': bundle('deep'),
      'b/offer-1/other.json': '{}',
    })
    const names = async (location: string) => {
      const { policies, faults } = await bundleLoader(host, location).load()
      expect(faults).toEqual([])
      return [...policies.keys()].sort()
    }
    expect(await names('b')).toEqual(['level', 'offer', 'top'])
    expect(await names('b/offer-1/bundle.json')).toEqual(['offer'])
    expect(await names(pathToFileURL(join(folder, 'b/team')).href)).toEqual(['level'])
  })

  it('are found behind links, each once, and a link that leads out is a fault', async () => {
    const { folder, host } = await place({
      'b/..data/bundle.json': bundle('offer'),
      'b/releases/1/bundle.json': bundle('level'),
      'elsewhere/bundle.json': bundle('other'),
    })
    await mkdir(join(folder, 'b/offer'))
    await symlink('../..data/bundle.json', join(folder, 'b/offer/bundle.json'))
    await symlink('releases/1', join(folder, 'b/current'))
    const { policies, faults } = await bundleLoader(host, 'b').load()
    expect([[...policies.keys()].sort(), faults]).toEqual([['level', 'offer'], []])
    await symlink('../elsewhere', join(folder, 'b/team'))
    const source = createPolicySource({ loader: bundleLoader(host, 'b'), pollMs: 1 })
    expect((await source.reload()).faults).toEqual([
      expect.stringContaining('`b/team` cannot be read: the link leads out'),
    ])
    const confirmed = { ...host, environment: () => 'elsewhere' } as Host
    expect([...(await bundleLoader(confirmed, 'b').load()).policies.keys()]).toHaveLength(3)
  })

  it('come with the snapshot that is in them', async () => {
    const { host } = await place({ 'b/bundle.json': bundle('offer') })
    const { policies } = await bundleLoader(host, 'b').load()
    expect(policies.get('offer')?.snapshot).toBe(snapshotDigest(bundleOf('offer').snapshot!))
  })

  it('are refused where there is none, two are of one policy, or one is not what it says', async () => {
    const { host } = await place({
      'none/x.json': '{}',
      'two/a/bundle.json': bundle('offer'),
      'two/b/bundle.json': bundle('offer', 'other'),
      'bad/a/bundle.json': '{',
      'bad/b/bundle.json': bundle('offer').replace('"0.2.0"', '"0.2.1"'),
    })
    const faults = async (location: string) => (await bundleLoader(host, location).load()).faults
    expect(await faults('none')).toEqual(['there is no bundle.json in `none`'])
    expect(await faults('two')).toEqual([
      'bundles `two/a/bundle.json` and `two/b/bundle.json` are both of policy `offer`',
    ])
    expect(await faults('bad')).toEqual([
      expect.stringMatching(/^bundle `bad\/a\/bundle.json`: `bad\/a\/bundle.json` is not JSON/),
      expect.stringMatching(/^bundle `bad\/b\/bundle.json`: the bundle's content is sha256:/),
    ])
    expect(await faults('gone.json')).toEqual([expect.stringContaining('does not exist')])
  })

  it('are refused with a policy that validation would refuse, before anything is made of it', async () => {
    const huge = { type: 'array', items: { type: 'number' }, minItems: 4e9, maxItems: 4e9 } as const
    const spec = policySpec({ context: { ...policySpec().context, huge } })
    const honest = createBundle(createPolicy('offer', policySpec(), 'sha256:x'), null, '0.2.0')
    // Only digests are right: createPolicy would have to make 4,000,000,000 names.
    const policy = { spec, name: 'offer', digest: resourceDigest('Policy', 'offer', spec) } as unknown as Policy
    const { host } = await place({ 'b/bundle.json': bundleText(createBundle(policy, null, honest.dap)) })
    const { faults } = await bundleLoader(host, 'b').load()
    expect(faults[0]).toMatch(/^bundle `b\/bundle.json`: .*minItems/)
  })

  it('of an older dap are served with a rule on the fallback and the holdout, which the engine minds', async () => {
    const guardrails = { minProbability: 0, fallback: 'gold-small', holdout: { fraction: 0.5, action: 'bundle-mid' } }
    const spec = policySpec({ guardrails })
    const policy = createPolicy('old', spec, resourceDigest('Policy', 'old', spec))
    const { host } = await place({ 'b/bundle.json': bundleText(createBundle(policy, null, '0.1.0')) })
    const { policies, faults } = await bundleLoader(host, 'b').load()
    expect(faults).toEqual([])
    const served = policies.get('old')?.policy as Policy
    const decided = Array.from({ length: 20 }, (_, i) =>
      decide(served, { decisionId: `d${i}`, context: { playerId: `p${i}`, level: 5, platform: 'ios' } }),
    )
    // The policy decides for whom is not held out, and the others get neither the holdout's action nor the fallback.
    expect(new Set(decided.map(one => 'faults' in one || `${one.action} by ${one.servedBy}`))).toEqual(
      new Set(['none by policy', 'null by none']),
    )
  })

  it('cannot be read from elsewhere', async () => {
    const { host } = await place()
    expect(() => bundleLoader(host, 's3://saga-dap/bundles')).toThrow('bundles cannot be read from `s3://`')
    expect(() => bundleLoader(host, 'file://elsewhere/b')).toThrow('is not the URL of a file here')
  })

  it('are taken over when a file changes, and the old ones stay while a new one is bad', async () => {
    const { host, put } = await place({ 'b/a/bundle.json': bundle('offer'), 'b/b/bundle.json': bundle('level') })
    const source = createPolicySource({ loader: bundleLoader(host, 'b'), pollMs: 1000 })
    expect((await source.reload()).changed).toEqual(['offer', 'level'])
    const before = source.policies
    await put('b/a/bundle.json', bundle('offer', 'new').slice(0, -20))
    expect(await source.reload()).toEqual({
      changed: [],
      faults: [expect.stringContaining('is not JSON')],
      kept: ['offer'],
    })
    expect(source.policies).toBe(before)
    await put('b/a/bundle.json', bundle('offer', 'new'))
    expect(await source.reload()).toEqual({ changed: ['offer'], faults: [] })
    expect(source.policies.get('offer')?.policy.salt).toBe('new')
    expect(source.policies.get('level')).toBe(before.get('level'))
  })
})

const PROJECT = resource('Project', 'shop', '{}')
const policyFile = (name: string, l2 = 1) =>
  resource(
    'Policy',
    name,
    `context: { level: { type: integer, default: 1 } }\nactions: [{ id: none }, { id: gold }]\nalgorithm: { learner: { type: linear, l2: ${l2} }, exploration: { type: thompson } }\nguardrails: { minProbability: 0.02 }\nreward: { name: purchase, type: binary, wait: 1h, default: 0 }`,
  )

/** The snapshot of a policy of `policyFile`, by way of `dap bundle`. */
async function snapshotOf(file: string): Promise<string> {
  const { folder } = await place({ 'dap.yaml': PROJECT, 'policies/p.yaml': file })
  const { path } = JSON.parse((await dapIn(folder, 'bundle', '--json')).stdout) as { path: string }
  const { policy } = JSON.parse(await nodeFiles().read(join(folder, path))) as Bundle
  return snapshotText(takeSnapshot(createPolicy(policy.name, policy.spec, policy.digest)))
}

describe('a repository', () => {
  const plain = { snapshots: new Map<string, string>(), migrate: false }

  it('is served as a whole, each policy with its snapshot where there is one, or the one that is named', async () => {
    const offer = await snapshotOf(policyFile('offer'))
    const { folder, host } = await place({
      'dap.yaml': PROJECT,
      'policies/offer.yaml': policyFile('offer'),
      'policies/level.yaml': policyFile('level'),
      'snapshots/offer.json': offer,
      'mine/level.json': await snapshotOf(policyFile('level')),
    })
    const { policies, faults } = await repositoryLoader(host, folder, plain).load()
    expect(faults).toEqual([])
    expect([...policies].map(([name, { snapshot }]) => [name, snapshot])).toEqual([
      ['level', null],
      ['offer', snapshotDigest(JSON.parse(offer))],
    ])
    const named = { ...plain, snapshots: new Map([['level', 'mine/level.json']]) }
    expect((await repositoryLoader(host, folder, named).load()).policies.get('level')?.snapshot).toMatch(/^sha256:/)
  })

  it('is not taken over while it has errors, or a snapshot that does not fit', async () => {
    const { folder, host, put, remove } = await place({
      'dap.yaml': PROJECT,
      'policies/offer.yaml': policyFile('offer'),
    })
    const source = createPolicySource({ loader: repositoryLoader(host, folder, plain), pollMs: 1000 })
    expect((await source.reload()).changed).toEqual(['offer'])
    await put('policies/offer.yaml', policyFile('offer').replace('thompson', 'tompson'))
    expect((await source.reload()).faults).toEqual([expect.stringMatching(/^policies\/offer.yaml:\d+ .*tompson/)])
    await put('policies/offer.yaml', policyFile('offer'))
    await put('snapshots/offer.json', await snapshotOf(policyFile('offer', 3)))
    expect((await source.reload()).faults).toEqual([expect.stringContaining('does not fit policy `offer`')])
    expect([...source.policies.keys()]).toEqual(['offer'])
    await remove('snapshots/offer.json')
    expect(await source.reload()).toEqual({ changed: [], faults: [] })
    await put('policies/more.yaml', policyFile('more'))
    expect((await source.reload()).changed).toEqual(['more'])
  })

  it('is taken over again when a row of a set has changed, and not while one is wrong', async () => {
    const { folder, host, put } = await place(LEVELS)
    const source = createPolicySource({ loader: repositoryLoader(host, folder, plain), pollMs: 1000 })
    expect((await source.reload()).changed).toEqual(['next-level'])
    const rows = LEVELS['data/levels.csv']
    await put('data/levels.csv', rows.replace('level-2,card,2.5', 'level-2,card,3.5'))
    expect((await source.reload()).changed).toEqual(['next-level'])
    await put('data/levels.csv', rows.replace('level-2,card', 'level-2,cards'))
    expect((await source.reload()).faults).toEqual([
      expect.stringMatching(/^data\/levels.csv:3 `genre` must be one of/),
    ])
    await put('data/levels.csv', `${rows}level-5,puzzle,1,,,Five\n`)
    expect((await source.reload()).changed).toEqual(['next-level'])
  })

  it('keeps a policy that cannot take a new row of its set, by name, and takes the others over', async () => {
    const hybrid = LEVELS['policies/next-level.yaml']
      .replace('name: next-level', 'name: own-model')
      .replace('type: linear, shared: true', 'type: hybrid')
    expect(hybrid).toContain('hybrid')
    const { folder, host, put } = await place({ ...LEVELS, 'policies/own-model.yaml': hybrid })
    const loader = repositoryLoader(host, folder, plain)
    const own = (await loader.load()).policies.get('own-model') as { policy: Policy }
    await publishSnapshot(host, folder, 'own-model', takeSnapshot(own.policy))
    const source = createPolicySource({ loader, pollMs: 1000 })
    await source.reload()
    const before = new Map(source.policies)
    await put('data/levels.csv', `${LEVELS['data/levels.csv']}level-5,puzzle,1,,,Five\n`)
    expect(await source.reload()).toEqual({
      changed: ['next-level'],
      faults: [
        'snapshot `snapshots/own-model.json` does not fit policy `own-model`: actions that the snapshot does not know: level-5',
      ],
      hint: 'train a new one; `--migrate` carries over what is sound where only actions changed',
      kept: ['own-model'],
    })
    expect(source.policies.get('next-level')?.policy.actions).toContain('level-5')
    expect(source.policies.get('own-model')).toBe(before.get('own-model'))
  })

  it('is watched within its folders only', async () => {
    const { folder, host, put } = await place({
      'shop/dap.yaml': resource('Project', 'shop', 'folders: [policies, ..]'),
      'shop/policies/offer.yaml': policyFile('offer'),
    })
    const loader = repositoryLoader(host, join(folder, 'shop'), plain)
    expect((await loader.load()).faults).toHaveLength(1)
    const before = await loader.stamp()
    await put('elsewhere.yaml', 'a: 1')
    expect(await loader.stamp()).toBe(before)
    await put('shop/policies/more.yaml', policyFile('more'))
    expect(await loader.stamp()).not.toBe(before)
  })

  it('is not served with a snapshot for a policy that there is not', async () => {
    const { folder, host } = await place({ 'dap.yaml': PROJECT, 'policies/offer.yaml': policyFile('offer') })
    const named = { ...plain, snapshots: new Map([['ofer', 'x.json']]) }
    expect((await repositoryLoader(host, folder, named).load()).faults).toEqual([
      'a snapshot is named for `ofer`, which is no policy here',
    ])
  })

  it('starts from what was published, and keeps every snapshot that ever decided', async () => {
    const { folder, host } = await place({ 'dap.yaml': PROJECT, 'policies/offer.yaml': policyFile('offer') })
    const loader = repositoryLoader(host, folder, plain)
    const { policy } = (await loader.load()).policies.get('offer')!
    await publishSnapshot(host, folder, 'offer', takeSnapshot(policy, { dap: '0.2.0' }))
    policy.learner.learn(0, new Float64Array(policy.features.dimension).fill(1), 1)
    const last = takeSnapshot(policy, { dap: '0.2.0' })
    await publishSnapshot(host, folder, 'offer', last)
    expect((await loader.load()).policies.get('offer')?.snapshot).toBe(snapshotDigest(last))
    expect((await host.files.walk(join(folder, 'snapshots/offer'))).files).toHaveLength(2)
  })
})

describe('the file of the kill switch', () => {
  it('may come and go', async () => {
    const { host, put, remove } = await place()
    const control = controlFile(host, 'control.json')
    expect([await control.stamp(), await control.read()]).toEqual(['', undefined])
    await put('control.json', '{"killed": ["*"]}')
    const stamp = await control.stamp()
    expect([stamp === '', await control.read()]).toEqual([false, '{"killed": ["*"]}'])
    await remove('control.json')
    expect(await control.stamp()).toBe('')
  })

  it('has another stamp when it was replaced by one of the same size and time', async () => {
    const { folder, host, put } = await place({ a: '{"killed": ["*"]}' })
    const stamp = await host.files.stamp(join(folder, 'a'))
    await put('a', '{"killed": ["x"]}')
    await utimes(join(folder, 'a'), 1, 1)
    const second = await host.files.stamp(join(folder, 'a'))
    await host.files.write(join(folder, 'a'), '{"killed": ["y"]}')
    await utimes(join(folder, 'a'), 1, 1)
    const third = await host.files.stamp(join(folder, 'a'))
    expect(new Set([stamp, second, third]).size).toBe(3)
  })
})
