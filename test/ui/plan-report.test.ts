import { describe, expect, it } from 'vitest'
import type { Plan } from '../../src/deploy/wanted/plan.ts'
import { junit } from '../../src/ui/formats/junit.ts'
import { outcomeOf } from '../../src/ui/formats/report.ts'
import { planReport } from '../../src/ui/plan-report.ts'
import { deploymentPlan, drifted, first, orphaned, plan, unproven } from './plan-samples.ts'

const quiet = deploymentPlan('a-policy')

describe('what CI is told of a plan', () => {
  it('is a case for each change, block, drift and orphan, and one for a deployment without any', () => {
    const report = planReport(
      plan([quiet, first, unproven, drifted], { orphans: orphaned }),
      '/repo',
      name => `deployments/${name}.yaml`,
    )
    expect(`\n${junit(report, 'plan')}`).toMatchInlineSnapshot(`
      "
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="dap plan" tests="15" failures="3" errors="0">
        <testsuite name="a-policy" tests="1" failures="0" errors="0" skipped="0">
          <testcase name="unchanged" classname="a-policy"/>
        </testsuite>
        <testsuite name="shop-offer" tests="6" failures="0" errors="0" skipped="0">
          <testcase name="create endpoint dap-shop-offer-3fa9c1d2" classname="shop-offer"/>
          <testcase name="upload bundle dap/bundles/shop-offer-0123456789ab/bundle.json" classname="shop-offer"/>
          <testcase name="upload a version of model dap-shop-offer-3fa9c1d2" classname="shop-offer"/>
          <testcase name="deploy shop-offer-91b0c3d4e5f6 without traffic" classname="shop-offer"/>
          <testcase name="move all traffic to shop-offer-91b0c3d4e5f6" classname="shop-offer"/>
          <testcase name="promote shop-offer-91b0c3d4e5f6" classname="shop-offer"/>
        </testsuite>
        <testsuite name="level-picker" tests="3" failures="2" errors="0" skipped="0">
          <testcase name="evaluation \`shop-offer\`: it judged another snapshot" classname="level-picker">
            <failure message="level-picker is blocked: evaluation \`shop-offer\`: it judged another snapshot" type="plan-blocked">deployments/level-picker.yaml: error: level-picker is blocked: evaluation \`shop-offer\`: it judged another snapshot [plan-blocked]
        hint: \`dap evaluate shop-offer --record\`</failure>
          </testcase>
          <testcase name="scenario \`quiet-week\`: there is no result yet" classname="level-picker">
            <failure message="level-picker is blocked: scenario \`quiet-week\`: there is no result yet" type="plan-blocked">deployments/level-picker.yaml: error: level-picker is blocked: scenario \`quiet-week\`: there is no result yet [plan-blocked]
        hint: \`dap simulate quiet-week --record\`</failure>
          </testcase>
          <testcase name="deploy shop-offer-91b0c3d4e5f6 without traffic" classname="level-picker"/>
        </testsuite>
        <testsuite name="home-order" tests="3" failures="1" errors="0" skipped="0">
          <testcase name="somebody has moved \`resources.maxReplicas\` since it was applied" classname="home-order">
            <failure message="home-order is blocked: somebody has moved \`resources.maxReplicas\` since it was applied" type="plan-blocked">deployments/home-order.yaml: error: home-order is blocked: somebody has moved \`resources.maxReplicas\` since it was applied [plan-blocked]
        hint: \`--accept-drift\` sets it right</failure>
          </testcase>
          <testcase name="resources.maxReplicas is as it was applied" classname="home-order">
            <system-out>deployments/home-order.yaml: warning: home-order: somebody has moved \`resources.maxReplicas\`: Git says 10, 10 was applied, 20 is live [plan-drift]</system-out>
          </testcase>
          <testcase name="change the scale of home-order-91b0c3d4e5f6" classname="home-order"/>
        </testsuite>
        <testsuite name="endpoint dap-old-offer-aa11bb22 (old-offer)" tests="1" failures="0" errors="0" skipped="0">
          <testcase name="take all traffic away, undeploy old-offer-3fa9c1d20b4e, delete endpoint dap-old-offer-aa11bb22" classname="endpoint dap-old-offer-aa11bb22 (old-offer)"/>
        </testsuite>
        <testsuite name="model dap-older-offer-bb22cc33 (staging/older-offer)" tests="1" failures="0" errors="0" skipped="0">
          <testcase name="is declared" classname="model dap-older-offer-bb22cc33 (staging/older-offer)">
            <system-out>warning: no Deployment declares model dap-older-offer-bb22cc33 (staging/older-offer): \`--prune\` deletes it [plan-orphan]</system-out>
          </testcase>
        </testsuite>
      </testsuites>
      "
    `)
    const failed = report.cases.filter(each => outcomeOf(each) === 'failed')
    expect(failed).toHaveLength([first, unproven, drifted].flatMap(({ blocked }) => blocked).length)
  })

  it('is what a rule of the repository warns of, and what it lets nobody delete', () => {
    const rules: Plan['rules'] = [
      { rule: 'no-delete', level: 'block', deployment: 'old-offer', message: 'Nothing is deleted.' },
      { rule: 'small', level: 'warn', deployment: 'shop-offer', message: 'Begin with 5 % or less.' },
    ]
    const { cases } = planReport({ ...plan([first], { orphans: orphaned }), rules }, '/repo', name =>
      name === 'shop-offer' ? 'deployments/shop-offer.yaml' : undefined,
    )
    expect(cases.flatMap(({ findings }) => findings).filter(({ rule }) => rule !== 'plan-orphan')).toEqual([
      {
        rule: 'plan-blocked',
        level: 'error',
        message: 'old-offer is blocked: rule `no-delete`: Nothing is deleted.',
        hint: '`rules/no-delete.cel` says so',
      },
      {
        rule: 'plan-rule',
        level: 'warning',
        message: 'shop-offer: rule `small`: Begin with 5 % or less.',
        hint: '`rules/small.cel` says so',
        place: { file: 'deployments/shop-offer.yaml' },
      },
    ])
  })

  it('has no place where nobody knows the file of a deployment', () => {
    const { cases } = planReport(plan([unproven]), '/repo', () => undefined)
    expect(cases.flatMap(({ findings }) => findings).filter(({ place }) => place !== undefined)).toEqual([])
  })
})
