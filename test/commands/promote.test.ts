import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readDocuments, withSpecField } from '../../src/scaffold/spec-field.ts'
import { lineDiff } from '../../src/ui/line-diff.ts'
import { createStyle } from '../../src/ui/style.ts'
import { expectPublished } from '../support/published.ts'
import { dap, repository } from '../support/run-dap.ts'
import { read } from './support.ts'

const POLICY = (name: string) => `apiVersion: dap/v1
kind: Policy
metadata: { name: ${name} }
spec:
  actions: [{ id: a }, { id: b }]
  reward: { type: binary }
  algorithm:
    learner: { type: fixed, probabilities: { a: 0.5, b: 0.5 } }
  guardrails: { minProbability: 0.02, fallback: a }
`

const DEPLOYMENT = (environment: string, rest: string) => `# Of ${environment}.
apiVersion: dap/v1
kind: Deployment
metadata: { name: offer }
spec:
  environment: ${environment}
${rest}`

const ENVIRONMENT = (name: string) =>
  `apiVersion: dap/v1\nkind: Environment\nmetadata: { name: ${name} }\nspec: { target: emulator }\n`

const STAGING = DEPLOYMENT('staging', '  policy: new-offer\n  snapshot: snapshots/new.json\n')
const PROD = DEPLOYMENT(
  'prod',
  `  policy: old-offer # since May
  snapshot: snapshots/old.json
  # Ours alone.
  resources: { machineType: n2-standard-4,   minReplicas: 3, maxReplicas: 9 }
`,
)

/** Both environments; `undefined` takes a file away. */
function files(changes: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const all = {
    'dap.yaml':
      'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: { projectId: q7m2vx4t9kd3hs8w, folders: [.] }\n',
    'policies/old.yaml': POLICY('old-offer'),
    'policies/new.yaml': POLICY('new-offer'),
    'environments.yaml': `${ENVIRONMENT('staging')}---\n${ENVIRONMENT('prod')}`,
    'deployments/staging/offer.yaml': STAGING,
    'deployments/prod/offer.yaml': PROD,
    ...changes,
  }
  return Object.fromEntries(Object.entries(all).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])))
}

const PROMOTE = 'promote offer --from staging --to prod'

describe('dap promote', () => {
  it('begins with a valid repository', async () => {
    expect(await dap('validate', files())).toMatchObject({ code: 0 })
  })

  it('writes what runs, and leaves to the target how it runs, comments and spaces', async () => {
    const made = repository(files())
    expect(read(await made.dap(PROMOTE))).toMatchInlineSnapshot(`
      "exit 0
      offer: staging → prod

      deployments/prod/offer.yaml
        policy    old-offer → new-offer
        snapshot  snapshots/old.json → snapshots/new.json

        spec:
          environment: prod
      -   policy: old-offer # since May
      -   snapshot: snapshots/old.json
      +   policy: new-offer # since May
      +   snapshot: snapshots/new.json
          # Ours alone.
          resources: { machineType: n2-standard-4,   minReplicas: 3, maxReplicas: 9 }

      next: commit it; dap plan --env prod shows what it comes to
      "
    `)
    expect(made.read('deployments/prod/offer.yaml')).toBe(
      PROD.replace('old-offer', 'new-offer').replace('old.json', 'new.json'),
    )
    expect(read(await made.dap(PROMOTE))).toBe('exit 0\noffer: prod has what staging has already\n')
    expect(await made.dap('validate')).toMatchObject({ code: 0 })
  })

  it('takes out a snapshot that the source has not, and brings one that the target has not', async () => {
    const back = repository(files())
    const bare = repository(files({ 'deployments/staging/offer.yaml': STAGING.replace(/ {2}snapshot: .*\n/, '') }))
    await bare.dap(PROMOTE)
    expect(bare.read('deployments/prod/offer.yaml')).toBe(
      PROD.replace('old-offer', 'new-offer').replace(/ {2}snapshot: .*\n/, ''),
    )
    const without = repository(files({ 'deployments/prod/offer.yaml': PROD.replace(/ {2}snapshot: .*\n/, '') }))
    await without.dap(PROMOTE)
    expect(without.read('deployments/prod/offer.yaml')).toContain('  snapshot: snapshots/new.json\n')
    await back.dap('promote offer --from prod --to staging')
    expect(back.read('deployments/staging/offer.yaml')).toContain(
      '  policy: old-offer\n  snapshot: snapshots/old.json\n',
    )
  })

  it('makes the Deployment where there is none, without what it was called before', async () => {
    const source = `${STAGING}  moved: { deployment: older }\n`
    const made = repository(
      files({ 'deployments/prod/offer.yaml': undefined, 'deployments/staging/offer.yaml': source }),
    )
    expect(await made.dap(PROMOTE)).toMatchObject({ code: 0 })
    expect(made.read('deployments/prod/offer.yaml')).toBe(STAGING.replace('environment: staging', 'environment: prod'))
    expect(await made.dap('validate')).toMatchObject({ code: 0 })
  })

  it('makes it of one document of several', async () => {
    const made = repository(
      files({
        'deployments/prod/offer.yaml': undefined,
        'deployments/staging/offer.yaml': undefined,
        'all.yaml': `${POLICY('other')}---\n${STAGING}---\n${POLICY('another')}`,
      }),
    )
    expect(await made.dap(PROMOTE)).toMatchObject({ code: 0 })
    expect(made.read('deployments/prod/offer.yaml')).toBe(STAGING.replace('environment: staging', 'environment: prod'))
  })

  it('writes nothing with --dry-run, and shows the same', async () => {
    const made = repository(files())
    const session = read(await made.dap(`${PROMOTE} --dry-run`))
    expect(session).toContain('offer: staging → prod, not written')
    expect(session).toContain('-  policy: old-offer # since May'.replace('-', '- '))
    expect(made.read('deployments/prod/offer.yaml')).toBe(PROD)
    const promoted = JSON.parse((await made.dap(`${PROMOTE} --dry-run --json`)).stdout)
    expectPublished('promotion-result', promoted)
    expect(promoted).toEqual({
      ...{ schema: 'dap.promotion/v1', deployment: 'offer', from: 'staging', to: 'prod' },
      ...{ file: 'deployments/prod/offer.yaml', created: false, written: false },
      fields: [
        { field: 'policy', before: 'old-offer', after: 'new-offer' },
        { field: 'snapshot', before: 'snapshots/old.json', after: 'snapshots/new.json' },
      ],
    })
  })

  it.each([
    ['promote offr --from staging --to prod', 'did you mean `offer`?'],
    ['promote offer --from stagin --to prod', 'did you mean `staging`?'],
    ['promote offer --from staging --to pro', 'did you mean `prod`?'],
    ['promote offer --from prod --to prod', ''],
    ['promote offer --from prod', '--to is missing'],
  ])('%s: %s', async (words, hint) => {
    const made = repository(files())
    const { code, stderr } = await made.dap(words)
    expect(code).toBe(3)
    expect(stderr).toContain(hint)
    expect(made.read('deployments/prod/offer.yaml')).toBe(PROD)
  })

  it('asks for the other direction where only the target has it', async () => {
    const { stderr } = await dap(PROMOTE, files({ 'deployments/staging/offer.yaml': undefined }))
    expect(stderr).toBe(
      'error: no Deployment `offer` in the environment `staging`\nhint: `prod` has it: is it --from prod --to staging?\n',
    )
  })

  it('writes nothing where the evidence that the target asks for would not be about it', async () => {
    const asks = `${PROD}  evidence: [{ scenario: week }]\n`
    const week = `apiVersion: dap/v1
kind: Scenario
metadata: { name: week }
spec:
  horizon: 100
  replications: 10
  world: { type: bernoulli, means: { a: 0.5, b: 0.4 } }
  policies: [old-offer]
  expect: [{ id: ok, expr: "policy('old-offer').reward.mean > 0.1" }]
`
    const made = repository(files({ 'deployments/prod/offer.yaml': asks, 'scenarios/week.yaml': week }))
    const { code, stderr } = await made.dap(PROMOTE)
    expect(stderr).toMatch(
      /^error: it would not be valid: deployments\/prod\/offer\.yaml:\d+:\d+: .*; nothing was written\nhint: /,
    )
    expect(code).toBe(1)
    expect(made.read('deployments/prod/offer.yaml')).toBe(asks)
  })

  it('refuses a file that it could not change without changing more', async () => {
    const alias = DEPLOYMENT('prod', '  policy: *p\n').replace(
      '{ name: offer }',
      '{ name: offer, description: &p old-offer }',
    )
    const made = repository(files({ 'deployments/prod/offer.yaml': alias }))
    const { code, stderr } = await made.dap(PROMOTE)
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('hint: ') })
    expect(made.read('deployments/prod/offer.yaml')).toBe(alias)
  })
})

describe('an edit of a field of `spec`', () => {
  const word = fc.constantFrom('a', 'b c', '1', 'true', "it's", 'x: y', '# no', '1e5', '', 'né', '"q"')
  const spec = fc.dictionary(
    fc.constantFrom('p', 'q', 'r', 's'),
    fc.oneof(word, fc.array(word), fc.record({ x: word })),
  )
  const layout = fc.constantFrom('block', 'flow', 'json')

  it('changes that field alone, whatever it is and however the file is written', () => {
    fc.assert(
      fc.property(
        spec,
        layout,
        fc.constantFrom('p', 'q', 'r'),
        fc.option(word, { nil: undefined }),
        (spec, layout, key, value) => {
          const document = { kind: 'X', spec, after: [1] }
          const one =
            layout === 'json'
              ? `${JSON.stringify(document)}\n`
              : stringify(document, layout === 'flow' ? { collectionStyle: 'flow' } : {})
          const text = `a: 1\n---\n${one}---\nb: 2\n`
          const changed = withSpecField(text, 1, key, value)
          const old = (spec as Record<string, unknown>)[key]
          // A list or a map is not replaced by hand.
          if (typeof old === 'object' && value !== undefined) return void expect(changed).toBeUndefined()
          const { [key]: _, ...others } = spec as Record<string, unknown>
          const wanted = value === undefined ? others : { ...others, [key]: value }
          if (changed === undefined) return void expect(Object.keys(spec)).toEqual([key])
          const [first, second, third] = readDocuments(changed)!.map(each => each.toJS())
          expect([first, third]).toEqual([{ a: 1 }, { b: 2 }])
          expect(second).toEqual({ ...document, spec: wanted })
        },
      ),
      { numRuns: 1000 },
    )
  })
})

it('a diff has the lines of both texts', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const text = (lines: readonly string[]) => lines.map(line => `${line}\n`).join('')
      const shown = lineDiff(text(before), text(after), createStyle(false), 80).split('\n')
      const count = (sign: string) => shown.filter(line => line.startsWith(`${sign} `)).length
      expect(count('+') - count('-')).toBe(after.length - before.length)
      if (text(before) === text(after)) expect(shown.join('')).toBe('')
      else expect(count('+') + count('-')).toBeGreaterThan(0)
    }),
  )
})
