import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Plan } from '../../src/deploy/wanted/plan.ts'
import { withRules } from '../../src/deploy/wanted/rules.ts'
import { CHANGE_TYPES } from '../../src/generated/cel-types.ts'
import type { PlannedChange } from '../../src/generated/types.ts'
import { readChangeRule } from '../../src/policy/change-rules.ts'
import { otherFindings } from '../../src/titles.ts'
import { planMarkdown } from '../../src/ui/plan-markdown.ts'
import { canary, deploymentPlan, orphaned, plan } from '../ui/plan-samples.ts'
import { changePolicy, deployedShop, jsonOf, read, shop } from './support.ts'

const SMALL = `// Nothing has more than three replicas here.
// level: block

change.maxReplicas > 3 && environment == 'local'
`
const LATE = `// level: warn
// A canary begins with 5 % or less.
!change.traffic.all(percent, percent > 5)
`

describe('a rule of the repository', () => {
  it('that blocks makes a plan fail, and says which it is', async () => {
    const { dap } = shop({ 'rules/small.cel': SMALL })
    const planned = await dap('plan')
    expect(planned.code).toBe(1)
    expect(planned.stdout).toContain(
      '  blocked: rule `small`: Nothing has more than three replicas here.\n    hint: `rules/small.cel` says so\n',
    )
    const made = jsonOf<Plan>(await dap('plan --json'), 'plan')
    expect(made.rules).toEqual([
      { rule: 'small', level: 'block', deployment: 'offer', message: 'Nothing has more than three replicas here.' },
    ])
    const deployed = await dap('deploy --yes')
    expect(deployed).toMatchObject({
      code: 1,
      stderr:
        'error: the plan cannot be applied: offer: rule `small`: Nothing has more than three replicas here.\nhint: `rules/small.cel` says so\n',
    })
  })

  it('that warns is told, and nothing more', async () => {
    const { dap, write, read: text } = shop({ 'rules/late.cel': LATE.replace('!', '') })
    const planned = await dap('plan --out plan.json')
    expect(planned.code).toBe(0)
    expect(planned.stdout).toContain('warning: offer: rule `late`: A canary begins with 5 % or less.\n')
    expect((await dap('plan show plan.json --format markdown')).stdout).toContain(
      '- **warning**: `offer`, rule `late`\\: A canary begins with 5 % or less\\.',
    )
    expect(await dap('deploy plan.json')).toMatchObject({ code: 0 })
    // Where nothing is to be done nothing is said.
    expect((await dap('plan')).stdout).not.toContain('rule')
    expect(text('rules/late.cel')).toContain('warn')
    write('rules/late.cel', LATE)
    expect(await dap('validate')).toMatchObject({ code: 0 })
  })

  it('that is newer than a plan holds it all the same', async () => {
    const made = await deployedShop()
    changePolicy(made)
    await made.dap('plan --out plan.json')
    made.write('rules/small.cel', SMALL)
    expect(read(await made.dap('deploy plan.json'))).toMatchInlineSnapshot(`
      "exit 4
      --- stderr
      error: the plan is stale: offer: rule \`small\`: Nothing has more than three replicas here.
      hint: \`dap plan --out\` makes another one
      "
    `)
    made.write('rules/small.cel', SMALL.replace('> 3', '> 300'))
    expect(await made.dap('deploy plan.json')).toMatchObject({ code: 0 })
  })

  it('cannot be edited out of a plan', async () => {
    const { dap, read: text, write } = shop({ 'rules/small.cel': SMALL })
    await dap('plan --out plan.json')
    const { rules: _, ...rest } = JSON.parse(text('plan.json'))
    write('plan.json', JSON.stringify(rest))
    expect((await dap('deploy plan.json')).stderr).toContain('it was edited')
  })

  it('is asked about what is deleted, which blocks by the plan itself', () => {
    const rule = readChangeRule('no-prod-deletes', "// Ask first.\nchange.kind == 'delete' && environment == 'prod'")
    if ('fault' in rule) throw new Error(rule.fault.message)
    const doomed = plan([canary], { orphans: orphaned })
    const judged = withRules(doomed, [rule], 'prod')
    const deleted = orphaned.filter(({ changes }) => changes.length > 0)
    expect(deleted.length).toBeGreaterThan(0)
    expect(judged.rules?.map(each => each.deployment)).toEqual(deleted.map(({ id, deployment }) => deployment ?? id))
    expect(otherFindings(judged)).toEqual(judged.rules)
    expect(planMarkdown(judged)).toContain('- **blocked**: `')
    expect(withRules(doomed, [rule], 'staging')).toBe(doomed)
  })

  it('that has no value blocks, since nobody knows that it does not apply', () => {
    const rule = readChangeRule('first', "change.evidence[0].state == 'passed'")
    if ('fault' in rule) throw new Error(rule.fault.message)
    const [finding] = withRules(plan([deploymentPlan('a', { ...canary, evidence: [] })]), [rule], 'prod').rules ?? []
    expect(finding).toMatchObject({ level: 'block', message: expect.stringContaining('it has no value here: ') })
  })

  it.each([
    ['change.kin == "delete"', 'rules/x.cel:1:8: error: `change` has no field `kin` [cel]', 'did you mean `kind`?'],
    [
      '// Why.\n\n  change.kind == "delte"',
      'rules/x.cel:3:18: error: `kind` is never `delte` [cel]',
      'did you mean `delete`?',
    ],
    [
      'change.evidence.exists(e, e.state == "fail")',
      'rules/x.cel:1:38: error: `state` is never `fail` [cel]',
      'did you mean `failed`?',
    ],
    ['// level: blok\ntrue', 'rules/x.cel:1:11: error: there is no level `blok` [cel]', 'did you mean `block`?'],
    ['change.maxReplicas', 'rules/x.cel:1:1: error: the rule must give true or false, but gives an int [cel]', ''],
    ['environmen == "prod"', 'rules/x.cel:1:1: error: ', 'did you mean `environment`?'],
    [
      '// Only words.\n',
      'rules/x.cel:1:1: error: the rule is empty [cel]',
      'a rule is made of `change`, `environment`',
    ],
    ['change.kind = "delete"', 'rules/x.cel:1:13: error: ', '`==`'],
  ])('that is wrong has its place: %s', async (text, error, hint) => {
    const made = shop({ 'rules/x.cel': text })
    const { code, stdout } = await made.dap('validate')
    expect(stdout).toContain(error)
    expect(stdout).toContain(hint)
    expect(code).toBe(1)
    expect((await made.dap('validate rules')).stdout).toContain(error)
    // Without one of them a plan would pass that should not.
    expect(await made.dap('plan')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`rules/x.cel` has errors'),
    })
  })

  it('may read every field that the schema publishes, whatever is in it', () => {
    const change: PlannedChange = {
      ...{ kind: 'replace', deployment: 'a', policy: 'p', snapshot: '', fields: ['policy'], drift: [] },
      ...{ evidence: [{ kind: 'scenario', name: 'week', state: 'stale' }], machineType: 'n2-standard-2' },
      ...{ minReplicas: 2, maxReplicas: 10, traffic: [10, 100], vcpus: 2.5 },
    }
    expect(Object.keys(change).sort()).toEqual(Object.keys(CHANGE_TYPES['PlannedChange']).sort())
    for (const expr of [
      "change.kind == 'replace' && change.deployment.startsWith('a') && change.policy == 'p' && change.snapshot == ''",
      "'policy' in change.fields && change.drift.size() == 0 && change.machineType.contains('standard')",
      "change.evidence.exists(e, e.kind == 'scenario' && e.name == 'week' && e.state != 'passed')",
      'change.minReplicas < change.maxReplicas && change.traffic[0] == 10 && change.vcpus > 2.0',
    ]) {
      const rule = readChangeRule('r', expr)
      if ('fault' in rule) throw new Error(`${expr}: ${rule.fault.message}`)
      expect(rule.applies(change, 'prod'), expr).toBe(expr)
    }
  })

  it('is read whatever stands in it, and its faults lie inside', () => {
    const piece = fc.constantFrom(
      '//',
      ' level: warn',
      'change',
      '.kind',
      ' == ',
      "'delete'",
      '\n',
      '&&',
      '(',
      ')',
      '\r',
      '"',
      'x',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const text = pieces.join('')
        const rule = readChangeRule('r', text)
        if ('fault' in rule) expect(rule.fault.offset ?? 0).toBeLessThanOrEqual(text.length)
        else expect(rule.message).not.toBe('')
      }),
      { numRuns: 2000 },
    )
  })
})
