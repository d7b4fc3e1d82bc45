import { expect, it, onTestFinished } from 'vitest'
import type { DeployResult, LockResult } from '../../src/results.ts'
import { editFile, shopRepository, startEmulatorProcess } from '../support/emulator-process.ts'
import { gateTo } from '../support/gate.ts'

it('of two deploys at the same time one hears whose the lock is; one that is stopped gives it back', async () => {
  const folder = await shopRepository()
  const emulator = await startEmulatorProcess(folder)
  onTestFinished(emulator.stop)

  const jobs = ['101', '102']
  const gates = await Promise.all(jobs.map(() => gateTo(emulator.url)))
  const runs = jobs.map((job, i) => emulator.start(['deploy', '--yes'], { job, url: gates[i].url }))
  // Neither goes on before both are there.
  await Promise.all(gates.map(({ knocked }) => knocked))
  for (const gate of gates) gate.open()
  const ends = await Promise.all(runs.map(({ ended }) => ended))
  expect(ends.map(({ code }) => code).sort()).toEqual([0, 4])
  const winner = jobs[ends.findIndex(({ code }) => code === 0)]
  const refused = ends.find(({ code }) => code === 4)
  expect(refused?.stdout).toContain(`is locked by job-${winner} `)
  expect(await emulator.dap('plan', '--exit-code')).toMatchObject({ code: 0 })

  const deployment = 'deployments/local/shop-offer.yaml'
  await editFile(folder, 'policies/shop-offer.yaml', 'minProbability: 0.02', 'minProbability: 0.05')
  await editFile(folder, deployment, 'hold: 1s', 'hold: 1h')
  const run = emulator.start(['deploy', '--yes', '--json'])
  expect(await run.heard(line => line.includes(': hold'))).toContain('hold 1h')
  const locks = async () => (await emulator.dap('lock', 'ls', '--json')).json<LockResult>().locks
  expect(await locks()).toMatchObject([{ deployment: 'shop-offer', expired: false }])
  run.kill('SIGTERM')
  const stopped = await run.ended
  expect(stopped).toMatchObject({ code: 130 })
  const [{ state, traffic }] = stopped.json<DeployResult>().deployments
  expect({ state, shares: Object.values(traffic).sort() }).toEqual({ state: 'interrupted', shares: [10, 90] })
  expect(await locks()).toEqual([])

  await editFile(folder, deployment, 'hold: 1h', 'hold: 1s')
  expect(await emulator.dap('deploy', '--resume', '--yes')).toMatchObject({ code: 0 })
})
