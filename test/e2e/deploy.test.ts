import { describe, expect, it, onTestFinished } from 'vitest'
import type { Plan } from '../../src/deploy/wanted/plan.ts'
import type { DeployResult, StatusResult } from '../../src/results.ts'
import { editFile, shopRepository, startEmulatorProcess } from '../support/emulator-process.ts'
import { vertexClients } from '../support/vertex-clients.ts'

describe('a deployment', () => {
  it('is made from what `dap init` wrote, answers the real client, and is canaried and rolled back', async () => {
    const folder = await shopRepository()
    const { dap, port, stop } = await startEmulatorProcess(folder)
    onTestFinished(stop)

    expect(await dap('plan', '--exit-code')).toMatchObject({ code: 2 })
    const deployed = await dap('deploy', '--env', 'local', '--yes', '--json')
    expect(deployed).toMatchObject({ code: 0 })
    const { deployments } = deployed.json<DeployResult>()
    expect(deployments).toMatchObject([{ deployment: 'shop-offer', state: 'applied' }])
    const [first] = Object.keys(deployments[0].traffic)
    expect(deployments[0].traffic).toEqual({ [first]: 100 })
    const nothing = await dap('plan', '--exit-code')
    expect(nothing).toMatchObject({ code: 0 })
    expect(nothing.stdout).toContain('Nothing to do')

    const clients = await vertexClients(port)
    onTestFinished(clients.close)
    const endpoint = `projects/dap-local/locations/us-central1/endpoints/${deployments[0].endpoint}`
    const predict = (playerId: string) => clients.predict(endpoint, [{ decisionId: playerId, context: { playerId } }])
    const answer = await predict('p1')
    expect(answer.deployedModelId).toBe(first)
    expect(answer.predictions).toMatchObject([{ action: expect.any(String), propensity: expect.any(Number) }])

    await editFile(folder, 'policies/shop-offer.yaml', 'minProbability: 0.02', 'minProbability: 0.05')
    const plan = (await dap('plan', '--json')).json<Plan>()
    expect(plan.deployments).toMatchObject([{ action: 'replace' }])
    expect(plan.deployments[0].fields).toMatchObject([
      {
        ...{ field: 'policy', replaces: true },
        within: { fields: [{ field: 'guardrails.minProbability', before: '0.02', after: '0.05' }], more: 0 },
      },
    ])
    expect(plan.deployments[0].changes.map(({ kind }) => kind)).toEqual([
      'upload-bundle',
      'upload-model',
      'deploy-model',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'promote',
    ])

    // A step a call, as a scheduler does it; 10,000 predicts in all meet the shares that were asked for.
    let second = ''
    for (const [percent, predicts] of [
      [10, 4000],
      [50, 4000],
      [100, 2000],
    ]) {
      let traffic: Readonly<Record<string, number>> = {}
      while (traffic[second] !== percent) {
        const { json, code, stderr } = await dap('deploy', '--step', '--yes', '--json')
        expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
        traffic = json<DeployResult>().deployments[0].traffic
        second = Object.keys(traffic).find(id => id !== first) ?? ''
      }
      let candidate = 0
      for (let i = 0; i < predicts; i += 50) {
        const answers = await Promise.all(Array.from({ length: 50 }, (_, j) => predict(`p${percent}-${i + j}`)))
        candidate += answers.filter(({ deployedModelId }) => deployedModelId === second).length
      }
      // Four standard deviations: one run in 15,000 would miss by chance, and the emulator's seed is fixed.
      const share = percent / 100
      const bound = 4 * Math.sqrt(predicts * share * (1 - share))
      expect(Math.abs(candidate - predicts * share)).toBeLessThanOrEqual(bound)
    }
    expect(await dap('deploy', '--yes')).toMatchObject({ code: 0 })
    expect(await dap('plan', '--exit-code')).toMatchObject({ code: 0 })

    const back = await dap('rollback', 'shop-offer', '--yes', '--json')
    expect(back).toMatchObject({ code: 0 })
    expect(back.json<DeployResult>().deployments).toMatchObject([{ state: 'rolled-back', traffic: { [first]: 100 } }])
    expect((await predict('p2')).deployedModelId).toBe(first)
    const held = await dap('plan', '--exit-code')
    expect(held).toMatchObject({ code: 0 })
    expect(held.stdout).toContain('release-hold')
    const status = await dap('status', '--exit-code', '--json')
    expect(status).toMatchObject({ code: 2 })
    expect(status.json<StatusResult>().deployments).toMatchObject([{ state: 'held' }])
  })
})
