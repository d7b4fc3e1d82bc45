import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../src/deploy/change.ts'
import { makePlan } from '../../src/deploy/wanted/plan.ts'
import { durationText } from '../../src/titles.ts'
import { planText } from '../../src/ui/plan.ts'
import { planMarkdown } from '../../src/ui/plan-markdown.ts'
import { createStyle } from '../../src/ui/style.ts'
import { publishedValidator } from '../support/published.ts'
import {
  canary,
  deploymentPlan,
  desired,
  drifted,
  first,
  foreign,
  NEW,
  orphaned,
  plan,
  unproven,
} from './plan-samples.ts'

const text = (...args: Parameters<typeof plan>) =>
  `\n${planText(plan(...args), { style: createStyle(false), columns: 120 })}\n`
const quiet = ['a-policy', 'b-policy', 'c-policy'].map(name => deploymentPlan(name))

const validate = publishedValidator('plan')

describe('a plan as text', () => {
  it('of a first deploy', () => {
    expect(text([first])).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      + shop-offer  create
        policy                 91b0c3d4e5f6
        resources.machineType  n2-standard-2
        1. create endpoint dap-shop-offer-3fa9c1d2  there is none yet
        2. upload bundle dap/bundles/shop-offer-0123456789ab/bundle.json  nothing is deployed yet
        3. upload a version of model dap-shop-offer-3fa9c1d2
        4. deploy shop-offer-91b0c3d4e5f6 without traffic
        5. move all traffic to shop-offer-91b0c3d4e5f6  there is nothing to compare it with
        6. promote shop-offer-91b0c3d4e5f6  the labels say what is applied

      1 to create
      "
    `)
  })

  it('of an edited policy with a canary', () => {
    expect(text([canary, ...quiet])).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      ± shop-offer  replace
        policy                 3fa9c1d2e4b5 → 91b0c3d4e5f6  replaces
        resources.maxReplicas  8 → 10
        1. upload bundle dap/bundles/shop-offer-0123456789ab/bundle.json  the bucket does not have it
        2. upload a version of model dap-shop-offer-3fa9c1d2  no version has this content
        3. deploy shop-offer-91b0c3d4e5f6 without traffic  it is to replace shop-offer-3fa9c1d2e4b5
        4. move 10 % of traffic to shop-offer-91b0c3d4e5f6, hold 10m while errorRate ≤ 1 % and latencyP99 ≤ 50 ms  step 1 of 3
        5. move 50 % of traffic to shop-offer-91b0c3d4e5f6, hold 30m while errorRate ≤ 1 % and latencyP99 ≤ 50 ms  step 2 of 3
        6. move all traffic to shop-offer-91b0c3d4e5f6  step 3 of 3
        7. promote shop-offer-91b0c3d4e5f6  the labels say what is applied
        evidence  evaluation shop-offer passed  lift +0.0254 [+0.0147, +0.0358] by dr
        evidence  scenario quiet-week passed  regret 39.5 [37.9, 41.2]
        overlap   two versions for up to 24h 40m: +20 vCPUs of quota, 2 to 10 × n2-standard-2, cost 4.8 to 24

      = 3 unchanged: a-policy, b-policy, c-policy

      1 to replace, 3 unchanged
      "
    `)
  })

  it('says that there is nothing to do', () => {
    expect(text(quiet)).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      = 3 unchanged: a-policy, b-policy, c-policy

      Nothing to do: what runs is what Git says.
      "
    `)
  })

  it('does not say that all is as Git says where a rolled-back version is held', () => {
    const held = deploymentPlan('shop-offer', {
      fields: canary.fields,
      notes: ['this version was rolled back and is on hold; `dap deploy --release-hold` brings it back'],
    })
    expect(text([held])).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      = shop-offer  unchanged
        policy                 3fa9c1d2e4b5 → 91b0c3d4e5f6  replaces
        resources.maxReplicas  8 → 10
        note      this version was rolled back and is on hold; \`dap deploy --release-hold\` brings it back

      Nothing to do.
      "
    `)
  })

  it('of drift, in three columns, and of missing evidence', () => {
    expect(text([drifted, unproven])).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      ! home-order  update, blocked
        resources.maxReplicas  20 → 10
        1. change the scale of home-order-91b0c3d4e5f6  Git says otherwise
        drift                  Git  last applied  live
        resources.maxReplicas  10   10            20
        blocked: somebody has moved \`resources.maxReplicas\` since it was applied
          hint: \`--accept-drift\` sets it right

      ! level-picker  replace, blocked
        policy                 3fa9c1d2e4b5 → 91b0c3d4e5f6  replaces
        resources.maxReplicas  8 → 10
        1. deploy shop-offer-91b0c3d4e5f6 without traffic  it is to replace shop-offer-3fa9c1d2e4b5
        evidence  evaluation shop-offer stale
        evidence  scenario quiet-week missing
        blocked: evaluation \`shop-offer\`: it judged another snapshot
          hint: \`dap evaluate shop-offer --record\`
        blocked: scenario \`quiet-week\`: there is no result yet
          hint: \`dap simulate quiet-week --record\`

      1 to update, 1 to replace, 2 blocked
      "
    `)
  })

  it('of orphans', () => {
    expect(text([], { orphans: orphaned })).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      orphans, which no Deployment in Git declares
        - endpoint dap-old-offer-aa11bb22 (old-offer)  delete
          1. take all traffic away  no Deployment declares it
          2. undeploy old-offer-3fa9c1d20b4e
          3. delete endpoint dap-old-offer-aa11bb22
        = model dap-older-offer-bb22cc33 (staging/older-offer)  \`--prune\` deletes it

      1 to delete
      "
    `)
  })

  it('of what other repositories have under the same names', () => {
    expect(text(quiet, { foreign })).toMatchInlineSnapshot(`
      "
      Plan of shop for prod: saga-ml-prod, europe-west1
      commit 4be1c02d77aa, good until 2026-12-02 12:00 UTC, digest 5f0e91b0c3d4

      = 3 unchanged: a-policy, b-policy, c-policy

      of other repositories, under the same names: not touched
        = endpoint dap-shop-offer-07e354bd (shop-offer)  of project shop, projectId s5p99qts43rwvwch
        = endpoint 4711 (staging/level-picker)  of project games, which has no projectId
        hint: \`dap adopt ID --override-owner PROJECT_ID\` takes one over

      Nothing to do: what runs is what Git says.
      "
    `)
  })

  it('of what is called otherwise now: by what it is deployed as, and what of it is renamed', () => {
    const fields = [
      { field: 'project', before: 'games', after: 'shop', replaces: false },
      {
        field: 'description',
        before: 'Managed by dap: deployment shop-offer of games, environment prod.',
        after: 'Managed by dap: deployment shop-offer of shop, environment prod.',
        replaces: false,
      },
    ]
    const changes: Change[] = [
      { kind: 'label-endpoint', endpoint: '4711', reason: 'Git calls it otherwise', fields },
      { kind: 'promote', deployedModel: NEW, reason: 'it is recorded as applied', fields: [] },
    ]
    const renamed = deploymentPlan('shop-offer', { action: 'update', fields, changes, names: { [NEW]: 'old-offer-1' } })
    const shown = planText(plan([renamed]), { style: createStyle(false), columns: 80 })
    expect(shown.slice(shown.indexOf('~ '))).toMatchInlineSnapshot(`
      "~ shop-offer  update
        project      games → shop
        description  Managed by dap: deployment shop-offer of games, environment prod. →
                     Managed by dap: deployment shop-offer of shop, environment prod.
        1. label endpoint 4711  Git calls it otherwise
        2. promote old-offer-1  it is recorded as applied

      1 to update"
    `)
  })

  it('of a rollout that goes on with a hold', () => {
    const rest = {
      ...canary,
      action: 'continue' as const,
      changes: canary.changes.slice(6),
      overlap: null,
      evidence: [],
    }
    expect(text([rest])).toContain('1. hold 30m while errorRate ≤ 1 % and latencyP99 ≤ 50 ms  its gates are watched')
  })

  it('is not disturbed by evidence that has grown old where nothing is to happen', () => {
    expect(text([deploymentPlan('a-policy', { evidence: unproven.evidence })])).toContain('= 1 unchanged: a-policy')
  })

  it('names as many of 500 unchanged deployments as a line holds', () => {
    const many = Array.from({ length: 500 }, (_, i) => deploymentPlan(`policy-${i}`))
    const line = text(many)
      .split('\n')
      .find(line => line.startsWith('='))!
    expect(line).toMatch(/^= 500 unchanged: policy-0, .* and \d+ more$/)
    expect(line.length).toBeLessThanOrEqual(120)
  })

  it('puts a hold and a reason on their own lines where the terminal is narrow', () => {
    const narrow = planText(plan([canary]), { style: createStyle(false), columns: 60 })
    expect(narrow.slice(narrow.indexOf('  4.'), narrow.indexOf('  5.'))).toBe(
      [
        '  4. move 10 % of traffic to shop-offer-91b0c3d4e5f6,',
        '     hold 10m while errorRate ≤ 1 % and latencyP99 ≤ 50 ms',
        '     step 1 of 3',
        '',
      ].join('\n'),
    )
  })

  it('shows what evidence says in lines that fit', () => {
    const lines = (columns: number, name = 'next-offer') => {
      const evidence = [{ ...canary.evidence[0], name }, canary.evidence[1]]
      const shown = planText(plan([{ ...canary, evidence, overlap: null }]), { style: createStyle(false), columns })
      return shown.slice(shown.indexOf('  evidence'), shown.indexOf('\n\n1 to replace'))
    }
    expect(`\n${lines(80)}\n`).toMatchInlineSnapshot(`
      "
        evidence  evaluation next-offer passed  lift +0.0254 [+0.0147, +0.0358] by dr
        evidence  scenario quiet-week passed  regret 39.5 [37.9, 41.2]
      "
    `)
    expect(`\n${lines(80, 'how-the-next-offer-would-have-done')}\n`).toMatchInlineSnapshot(`
      "
        evidence  evaluation how-the-next-offer-would-have-done passed
                  lift +0.0254 [+0.0147, +0.0358] by dr
        evidence  scenario quiet-week passed  regret 39.5 [37.9, 41.2]
      "
    `)
    expect(
      lines(80)
        .split('\n')
        .every(line => line.length <= 80),
    ).toBe(true)
  })

  it('shows what has changed inside a policy below its digest, on the next line what does not fit', () => {
    const within = {
      fields: [
        { field: 'guardrails.minProbability', before: '0.02', after: '0.05' },
        { field: 'actions.gold-small.eligible', before: '"ctx.level >= 10"', after: '"ctx.level >= 20"' },
        { field: 'actions.gold-large', before: null, after: '{ id: gold-large, features: { price…' },
      ],
      more: 2,
    }
    const fields = [{ ...canary.fields[0], within }, canary.fields[1]]
    const shown = planText(plan([{ ...canary, fields }]), { style: createStyle(false), columns: 60 })
    expect(`\n${shown.slice(shown.indexOf('± '), shown.indexOf('  1.'))}`).toMatchInlineSnapshot(`
      "
      ± shop-offer  replace
        policy                 3fa9c1d2e4b5 → 91b0c3d4e5f6
                               replaces
          guardrails.minProbability  0.02 → 0.05
          actions.gold-small.eligible
          "ctx.level >= 10" → "ctx.level >= 20"
          actions.gold-large
          none → { id: gold-large, features: { price…
          and 2 more
        resources.maxReplicas  8 → 10
      "
    `)
    expect(validate(plan([{ ...canary, fields }])), JSON.stringify(validate.errors)).toBe(true)
    expect(planMarkdown(plan([{ ...canary, fields }]))).toContain(
      '<br>&nbsp; `guardrails.minProbability` `0.02 → 0.05`<br>',
    )
  })

  it('says of a lift that is to be taken with care that it is', () => {
    const [lift] = canary.evidence
    const evidence = [{ ...lift, figure: { ...lift.figure!, verdict: 'caution' as const } }]
    expect(text([{ ...canary, evidence }])).toContain('lift +0.0254 [+0.0147, +0.0358] by dr, caution\n')
  })

  it('is the same words with colours', () => {
    const coloured = planText(plan([canary, drifted]), { style: createStyle(true), columns: 120 })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    expect(`\n${coloured.replace(/\u001b\[\d+m/g, '')}\n`).toBe(text([canary, drifted]))
    expect(coloured).toContain('\u001b[')
  })

  it('lets no label reach the terminal as a command', () => {
    const hostile = deploymentPlan('x', { notes: ['a\u001b[2J\nb'] })
    expect(text([hostile])).toContain('note      a\\u001b[2J b')
  })
})

describe('a plan as a comment', () => {
  it('shows a table, and folds the details', () => {
    expect(`\n${planMarkdown(plan([canary, unproven, ...quiet], { orphans: orphaned }))}\n`).toMatchInlineSnapshot(`
      "
      <!-- dap plan prod -->
      ### Plan for \`prod\`: 2 to replace, 3 unchanged, 1 to delete, 1 blocked

      | | deployment | action | what differs |
      |---|---|---|---|
      | ± | \`shop-offer\` | replace | \`policy\` \`3fa9c1d2e4b5 → 91b0c3d4e5f6\`<br>\`resources.maxReplicas\` \`8 → 10\` |
      | ! | \`level-picker\` | replace | **blocked**: evaluation \`shop-offer\`\\: it judged another snapshot<br>**blocked**: scenario \`quiet-week\`\\: there is no result yet<br>\`policy\` \`3fa9c1d2e4b5 → 91b0c3d4e5f6\`<br>\`resources.maxReplicas\` \`8 → 10\` |
      | = | 3 unchanged |  |  |
      | - | \`endpoint dap-old-offer-aa11bb22 (old-offer)\` | delete |  |
      | = | \`model dap-older-offer-bb22cc33 (staging/older-offer)\` | orphan | \`--prune\` deletes it |

      <details><summary>± <code>shop-offer</code>: 9 changes</summary>

      1. upload bundle dap/bundles/shop-offer-0123456789ab/bundle\\.json: the bucket does not have it
      2. upload a version of model dap-shop-offer-3fa9c1d2: no version has this content
      3. deploy shop-offer-91b0c3d4e5f6 without traffic: it is to replace shop-offer-3fa9c1d2e4b5
      4. move 10 % of traffic to shop-offer-91b0c3d4e5f6, hold 10m while errorRate ≤ 1 % and latencyP99 ≤ 50 ms: step 1 of 3
      5. move 50 % of traffic to shop-offer-91b0c3d4e5f6, hold 30m while errorRate ≤ 1 % and latencyP99 ≤ 50 ms: step 2 of 3
      6. move all traffic to shop-offer-91b0c3d4e5f6: step 3 of 3
      7. promote shop-offer-91b0c3d4e5f6: the labels say what is applied

      - Evidence: evaluation \`shop-offer\` passed, lift +0\\.0254 \\[+0\\.0147, +0\\.0358\\] by dr
      - Evidence: scenario \`quiet-week\` passed, regret 39\\.5 \\[37\\.9, 41\\.2\\]

      Overlap: two versions for up to 24h 40m\\: +20 vCPUs of quota, 2 to 10 × n2-standard-2, cost 4\\.8 to 24

      </details>

      <details><summary>! <code>level-picker</code>: 1 change</summary>

      1. deploy shop-offer-91b0c3d4e5f6 without traffic: it is to replace shop-offer-3fa9c1d2e4b5

      - Evidence: evaluation \`shop-offer\` **stale**
      - Evidence: scenario \`quiet-week\` **missing**

      - **blocked**: evaluation \`shop-offer\`\\: it judged another snapshot; \`dap evaluate shop-offer --record\`
      - **blocked**: scenario \`quiet-week\`\\: there is no result yet; \`dap simulate quiet-week --record\`

      </details>

      <details><summary>- <code>endpoint dap-old-offer-aa11bb22 (old-offer)</code>: 3 changes</summary>

      1. take all traffic away: no Deployment declares it
      2. undeploy old-offer-3fa9c1d20b4e
      3. delete endpoint dap-old-offer-aa11bb22

      </details>

      Digest \`5f0e91b0c3d4\`, commit \`4be1c02d77aa0123456789abcdef0123456789ab\`, good until 2026-12-02 12\\:00 UTC.
      "
    `)
  })

  it('calls what is held held, and shows what is not touched', () => {
    const held = deploymentPlan('shop-offer', { held: true, notes: ['what Git says was rolled back'] })
    const updated = deploymentPlan('level-picker', { ...held, action: 'update', fields: canary.fields.slice(1) })
    const comment = planMarkdown(plan([held, updated], { foreign }))
    expect(comment.split('\n').filter(line => line.startsWith('| '))).toMatchInlineSnapshot(`
      [
        "| | deployment | action | what differs |",
        "| ← | \`shop-offer\` | held | what Git says was rolled back |",
        "| ~ | \`shop-offer\` | update, its version held | \`resources.maxReplicas\` \`8 → 10\`<br>what Git says was rolled back |",
        "| = | \`endpoint dap-shop-offer-07e354bd (shop-offer)\` | not touched | of project shop, projectId s5p99qts43rwvwch |",
        "| = | \`endpoint 4711 (staging/level-picker)\` | not touched | of project games, which has no projectId |",
      ]
    `)
  })

  it('says that there is nothing to do', () => {
    expect(planMarkdown(plan(quiet)).split('\n').slice(0, 2)).toEqual([
      '<!-- dap plan prod -->',
      '### Plan for `prod`: Nothing to do\\: what runs is what Git says\\.',
    ])
  })

  it('says how many do not fit', () => {
    const comment = planMarkdown(plan(Array.from({ length: 500 }, () => canary)))
    const rows = comment.split('\n').filter(line => line.startsWith('| ± |')).length
    const folded = comment.split('<details>').length - 1
    expect(comment).toContain('500 to replace')
    expect(comment).toContain(`\n| … | ${500 - rows} more |  | in the plan file |\n`)
    expect(comment).toContain(`\n${500 - folded} more are in the plan file.\n`)
    expect(Math.min(rows, folded)).toBeGreaterThan(20)
  })

  it('shows the notes of the plan, which a reader of the comment has to know as well', () => {
    expect(planMarkdown(plan(quiet, { notes: ['the bucket remembers nothing'] }))).toContain(
      '\n- the bucket remembers nothing\n',
    )
  })

  it('fits into a comment of GitHub, whatever is planned, in whole rows and lines', () => {
    const size = fc.oneof(fc.nat(3), fc.nat(1_000))
    const word = fc.tuple(fc.constantFrom('a', '`', '|', '&', '@', '\u{1f3b2}', '\n'), size)
    const sizes = fc.record({ deployments: size, fields: size, drift: size, notes: size, word })
    fc.assert(
      fc.property(sizes, fc.nat(3), ({ word: [letter, length], ...counts }, of) => {
        const long = letter.repeat(length)
        const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value)
        // Thousands of each, but not of each in each.
        const count = (name: keyof typeof counts) => (counts.deployments > 20 ? counts[name] % 4 : counts[name])
        const name = `n${long.slice(0, 300 * of)}`
        const each = deploymentPlan('', {
          ...unproven,
          deployment: name,
          fields: times(count('fields'), { field: `f${long}`, before: long, after: null, replaces: true }),
          changes: times(count('fields'), { ...unproven.changes[0], reason: long }),
          drift: times(count('drift'), { field: 'f', git: long, applied: null, live: long, overwrites: true }),
          notes: times(count('notes'), `n${long}`),
        })
        const made = plan(times(counts.deployments, each), {
          notes: times(counts.notes, `n${long}`),
        })
        const comment = planMarkdown(made)
        expect(comment.length).toBeLessThan(65_536)
        expect(comment).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/)
        const lines = comment.split('\n')
        const open = lines.filter(line => line.startsWith('<details>')).length
        expect(lines.filter(line => line === '</details>').length).toBe(open)
        const rows = lines.filter(line => line.startsWith('| '))
        expect(rows.map(cells)).toEqual(rows.map(() => 4))
        // Whole lines: no code span is left open.
        for (const line of lines.filter(line => !line.startsWith('<details>')))
          expect(withoutCode(line)).not.toContain('`')
        const more = Number(/^(\d+) more are in the plan file\.$/m.exec(comment)?.[1] ?? 0)
        expect(open + more).toBe(counts.deployments)
      }),
      { numRuns: 40 },
    )
  })

  it('keeps tags, tables, links, mentions and comments that names and labels bring along from meaning anything', () => {
    const evil = fc.string({
      unit: fc.constantFrom(
        'a',
        '`',
        '|',
        '\\',
        '<b>',
        '-->',
        '@',
        '\n',
        '](',
        '*',
        '</details>',
        ' ',
        'www.x.y',
        '://',
      ),
    })
    fc.assert(
      fc.property(evil, evil, (name, sentence) => {
        const comment = planMarkdown(
          plan([
            deploymentPlan('', {
              ...unproven,
              deployment: `n${name}`,
              fields: [
                {
                  ...{ field: name, before: name, after: sentence, replaces: true },
                  within: { fields: [{ field: sentence, before: name, after: null }], more: 1 },
                },
              ],
              drift: [{ field: name, git: name, applied: sentence, live: null, overwrites: true }],
              notes: [sentence],
              blocked: [{ reason: sentence, hint: name }],
            }),
          ]),
        )
        // A line of HTML is no Markdown: there only its own characters have to be harmless.
        const isHtml = (line: string) => line.startsWith('<details>')
        const [summary] = comment.split('\n').filter(isHtml)
        expect(summary).toMatch(/^<details><summary>! <code>[^<>@]*<\/code>: 1 change<\/summary>$/)
        const said = withoutCode(
          comment
            .split('\n')
            .filter(line => !isHtml(line))
            .join('\n'),
        )
        expect(said.match(/<[^>]*>/g)).toEqual(['<!-- dap plan prod -->', ...(said.match(/<br>/g) ?? []), '</details>'])
        expect(said).not.toMatch(/@(?!\u200b)|(?<!\\)\]\(|www\.|:\/\//)
        const rows = comment.split('\n').filter(line => line.startsWith('| '))
        expect(rows.map(cells)).toEqual(rows.map(() => 4))
      }),
      { numRuns: 500 },
    )
  })
})

describe('the schema of a plan', () => {
  it('accepts every plan of these tests', () => {
    for (const each of [plan([first, canary, drifted, unproven, ...quiet]), plan([], { orphans: orphaned, foreign })]) {
      validate(each)
      expect(validate.errors).toBeNull()
    }
  })

  it('accepts what is planned of a repository for an empty project', () => {
    const { name, project, projectId, place } = plan([]).environment
    const image = desired().model.image
    const made = makePlan({
      dap: '0.1.0',
      now: Date.UTC(2026, 11, 1),
      commit: null,
      target: {
        ...{ environment: name, project, projectId, place, image, serviceAccount: null, protect: [], prices: {} },
        endpointIds: 'named',
      },
      only: ['shop-offer'],
      acceptDrift: false,
      prune: false,
      releaseHold: false,
      overrideProtection: [],
      deployments: [{ desired: desired(), evidence: canary.evidence }],
      declared: { here: [{ deployment: 'shop-offer', before: [] }], everywhere: new Set(), environments: new Set() },
      actual: {
        ...{ endpoints: [], releases: [], bundles: new Set(), lost: new Set(), found: new Map(), places: [] },

        foreign: [{ id: 'dap-a', environment: name, deployment: 'shop-offer', project, owner: null }],
      },
      behind: [],
      notes: [],
      origin: null,
    })
    validate(made)
    expect(validate.errors).toBeNull()
    expect(made.deployments[0].changes.length).toBeGreaterThan(4)
  })

  it('refuses a change that is not one, and a key that it does not know', () => {
    const change = { kind: 'drop-table', reason: '', fields: [] }
    expect(validate(plan([{ ...canary, changes: [change as never] }]))).toBe(false)
    expect(validate({ ...plan([]), extra: 1 })).toBe(false)
  })
})

describe('a duration', () => {
  it('is its two largest units', () => {
    expect([0, 412, 1000, 90_000, 600_000, 5_400_000, 88_800_000, 604_800_000, 3_601_000].map(durationText)).toEqual([
      '0s',
      '412ms',
      '1s',
      '1m 30s',
      '10m',
      '1h 30m',
      '24h 40m',
      '7d',
      '1h',
    ])
  })
})

/** As CommonMark reads it: a backslash escapes, and a code span ends at the next run of as many backticks. */
const withoutCode = (markdown: string) => markdown.replace(/\\.|(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, '')

/** How many cells GitHub sees in a row. */
const cells = (row: string) => row.replace(/\\./g, '').split('|').length - 2
