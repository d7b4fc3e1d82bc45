import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPolicy } from '../../../src/policy/policy.ts'
import {
  type ControlFile,
  createPolicySource,
  type LivePolicySource,
  type PolicyLoader,
  type ReloadReport,
  type ServedPolicy,
} from '../../../src/serve/deciding/policies.ts'
import { policySpec } from '../../policy/support.ts'

const served = (name: string, digest = 'sha256:1', snapshot: string | null = null): ServedPolicy => ({
  policy: createPolicy(name, policySpec(), digest),
  snapshot,
})

interface Shelf {
  stamp: string
  policies: readonly ServedPolicy[]
  faults: readonly string[]
  loads: number
  broken: Error | undefined
  readonly loader: PolicyLoader
}

/** A loader of whatever the test puts there; every change of `stamp` is a change of the files. */
function shelf(): Shelf {
  const self: Shelf = {
    stamp: 'a',
    policies: [served('offer'), served('level')],
    faults: [],
    loads: 0,
    broken: undefined,
    loader: {
      stamp: async () => self.stamp,
      async load() {
        self.loads++
        if (self.broken !== undefined) throw self.broken
        return { policies: new Map(self.policies.map(each => [each.policy.name, each])), faults: self.faults }
      },
    },
  }
  return self
}

function controlOf(): ControlFile & { text: string | undefined } {
  return {
    text: undefined,
    async stamp() {
      return this.text ?? ''
    },
    async read() {
      return this.text
    },
  }
}

describe('a policy source', () => {
  it('serves nothing before it has loaded, and then what there is', async () => {
    const { loader } = shelf()
    const source = createPolicySource({ loader, pollMs: 1000 })
    expect(source.policies.size).toBe(0)
    expect(await source.reload()).toEqual({ changed: ['offer', 'level'], faults: [] })
    expect([...source.policies.keys()]).toEqual(['offer', 'level'])
  })

  it('does not load again while the files stay as they are', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    await source.reload()
    expect(await source.reload()).toEqual({ changed: [], faults: [] })
    expect(files.loads).toBe(1)
  })

  it('names what is new, gone or different, and keeps the rest as the very same objects', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    await source.reload()
    const level = source.policies.get('level')
    Object.assign(files, { stamp: 'b', policies: [served('level'), served('gift')] })
    expect((await source.reload()).changed).toEqual(['offer', 'gift'])
    expect(source.policies.get('level')).toBe(level)
    Object.assign(files, {
      stamp: 'c',
      policies: [served('level', 'sha256:1', 'sha256:s'), served('gift', 'sha256:2')],
    })
    expect((await source.reload()).changed).toEqual(['level', 'gift'])
    expect(source.policies.get('level')?.snapshot).toBe('sha256:s')
  })

  it('swaps the map as a whole: who holds it sees one consistent set', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    await source.reload()
    const held = source.policies
    Object.assign(files, { stamp: 'b', policies: [served('offer', 'sha256:2'), served('level', 'sha256:2')] })
    await source.reload()
    expect([...held.values()].map(({ policy }) => policy.digest)).toEqual(['sha256:1', 'sha256:1'])
    expect([...source.policies.values()].map(({ policy }) => policy.digest)).toEqual(['sha256:2', 'sha256:2'])
  })

  it('takes over what it can while a policy has a fault, and says so once for each change of the files', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    await source.reload()
    const before = source.policies
    Object.assign(files, { stamp: 'b', policies: [served('offer', 'sha256:2')], faults: ['bundle `x`: no'] })
    expect(await source.reload()).toEqual({ changed: ['offer'], faults: ['bundle `x`: no'], kept: ['level'] })
    expect(source.policies.get('offer')?.policy.digest).toBe('sha256:2')
    expect(source.policies.get('level')).toBe(before.get('level'))
    expect(source.followed.policies).toMatchObject({ reloads: 1, failures: 1, faults: 1 })
    expect(await source.reload()).toEqual({ changed: [], faults: [] })
    files.stamp = 'c'
    expect(await source.reload()).toEqual({ changed: [], faults: ['bundle `x`: no'], kept: ['level'] })
    Object.assign(files, { stamp: 'd', faults: [] })
    expect((await source.reload()).changed).toEqual(['level'])
    expect([...source.policies.keys()]).toEqual(['offer'])
  })

  it('serves nothing at the start while a policy has a fault', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    files.faults = ['bundle `x`: no']
    expect(await source.reload()).toEqual({ changed: [], faults: ['bundle `x`: no'] })
    expect(source.policies.size).toBe(0)
  })

  it('keeps what was put in the place of a policy when the files of others change', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    await source.reload()
    const learnt = served('offer', 'sha256:1', 'sha256:learnt')
    await source.replace(served('offer'), learnt)
    Object.assign(files, { stamp: 'b', policies: [served('offer'), served('level', 'sha256:2')] })
    expect((await source.reload()).changed).toEqual(['level'])
    expect(source.policies.get('offer')).toBe(learnt)
    Object.assign(files, { stamp: 'c', policies: [served('offer', 'sha256:2'), served('level', 'sha256:2')] })
    expect((await source.reload()).changed).toEqual(['offer'])
  })

  it('tries again when files cannot be read, and says why once', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    files.broken = new Error('cannot read `x`: no permission')
    expect((await source.reload()).faults).toEqual(['cannot read `x`: no permission'])
    expect((await source.reload()).faults).toEqual([])
    files.broken = undefined
    expect((await source.reload()).changed).toEqual(['offer', 'level'])
  })

  it('reloads one at a time', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    const [first, second] = await Promise.all([source.reload(), source.reload()])
    expect(files.loads).toBe(1)
    expect([first.changed.length, second.changed.length]).toEqual([2, 0])
  })

  it('puts one policy in the place of another, in a new map', async () => {
    const source = createPolicySource({ loader: shelf().loader, pollMs: 1000 })
    await source.reload()
    const held = source.policies
    await source.replace(served('offer'), served('offer', 'sha256:1', 'sha256:new'))
    expect(held.get('offer')?.snapshot).toBeNull()
    expect(source.policies.get('offer')?.snapshot).toBe('sha256:new')
  })

  it('lets a replacement wait for the reload before it, and gives it up where something else came', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    await source.reload()
    files.stamp = 'b'
    const before = source.reload()
    await source.replace(served('offer'), served('offer', 'sha256:1', 'sha256:new'))
    await before
    expect(source.policies.get('offer')?.snapshot).toBe('sha256:new')
    files.stamp = 'c'
    files.policies = [served('offer', 'sha256:1', 'sha256:theirs')]
    source.reload()
    await source.replace(served('offer', 'sha256:1', 'sha256:new'), served('offer', 'sha256:1', 'sha256:newer'))
    expect(source.policies.get('offer')?.snapshot).toBe('sha256:theirs')
  })
})

describe('the kill switch', () => {
  async function withControl(text?: string) {
    const control = controlOf()
    control.text = text
    const source = createPolicySource({ loader: shelf().loader, control, pollMs: 1000 })
    return { control, source, first: await source.reload() }
  }
  const killed = (source: LivePolicySource) => ['offer', 'level'].filter(name => source.killed(name))

  it('is thrown by the file, for a policy or for all, and taken back with it', async () => {
    const { control, source } = await withControl()
    expect(killed(source)).toEqual([])
    control.text = '{"killed": ["offer"], "reason": "prices are wrong"}'
    expect(await source.reload()).toEqual({
      changed: [],
      faults: [],
      control: { killed: ['offer'], reason: 'prices are wrong' },
    })
    expect(killed(source)).toEqual(['offer'])
    control.text = '{"killed": ["*"]}'
    await source.reload()
    expect(killed(source)).toEqual(['offer', 'level'])
    control.text = undefined
    expect((await source.reload()).control).toEqual({ killed: [] })
    expect(killed(source)).toEqual([])
  })

  it.each([
    ['{', 'the control file is not JSON'],
    ['[]', 'the control file is not of the form'],
    ['null', 'the control file is not of the form'],
    ['{"kiled": ["offer"]}', 'the control file is not of the form'],
    ['{"killed": ["offer"], "killed": []}', 'the control file may mean two things: /killed is there more than once'],
    ['{"killed": "offer"}', 'the control file is not of the form'],
    ['{"killed": [], "reasn": "x"}', 'the control file is not of the form'],
    ['{"killed": [], "__proto__": {}}', 'the control file is not of the form'],
  ])('stays as it was when the file is malformed: %s', async (text, fault) => {
    const { control, source } = await withControl('{"killed": ["offer"]}')
    control.text = text
    expect((await source.reload()).faults).toEqual([expect.stringContaining(fault)])
    expect((await source.reload()).faults).toEqual([])
    expect(killed(source)).toEqual(['offer'])
  })

  it('says so when it kills a policy that is not served, and kills the others all the same', async () => {
    const { first, source } = await withControl('{"killed": ["ofer", "level"]}')
    expect(first.faults).toEqual(['the control file kills `ofer`, which is not served here'])
    expect(killed(source)).toEqual(['level'])
  })
})

describe('a started policy source', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('looks every pollMs, reports what it finds, and looks no more once stopped', async () => {
    const files = shelf()
    const source = createPolicySource({ loader: files.loader, pollMs: 1000 })
    const reports: ReloadReport[] = []
    await source.reload()
    source.start(report => void reports.push(report))
    await vi.advanceTimersByTimeAsync(5000)
    expect(reports).toEqual([])
    Object.assign(files, { stamp: 'b', policies: [served('offer')] })
    await vi.advanceTimersByTimeAsync(1000)
    expect(reports).toEqual([{ changed: ['level'], faults: [] }])
    source.stop()
    files.stamp = 'c'
    await vi.advanceTimersByTimeAsync(5000)
    expect(files.loads).toBe(2)
    expect(vi.getTimerCount()).toBe(0)
  })
})
