import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { onDisk } from '../support/disk.ts'
import { offerWeek } from '../support/offer-week.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const dataset = (name: string, spec: string) =>
  resource('Dataset', name, `files: [${name}]\nformat: dap\nactions: { policy: offer }${spec}`)

/** Of the log of another policy: what it decided, and the rewards that came for it. */
function ofAnother(log: string, edit: (record: Record<string, unknown>) => void): string {
  return log
    .trimEnd()
    .split('\n')
    .map(line => {
      const record = JSON.parse(line)
      record.decisionId = `other-${record.decisionId}`
      if (record.policy === undefined) record.rewardId = `other-${record.rewardId}`
      else {
        record.policy.name = 'other'
        edit(record)
      }
      return `${JSON.stringify(record)}\n`
    })
    .join('')
}

it('a log that policies share is learnt from and judged on as if it had those alone whose decisions are asked for', async () => {
  const folder = await onDisk({
    ...offerWeek(),
    'datasets/own.yaml': dataset('own', ''),
    'datasets/shared.yaml': dataset('shared', '\npolicies: [offer]'),
    'evaluations/week.yaml': resource(
      'Evaluation',
      'week',
      'dataset: own\ncandidates: [{ name: uniform, uniform: true }]',
    ),
  })
  const dap = (...args: string[]) => dapIn(folder, ...args)
  expect(await dap('simulate', '--log', 'own/a.jsonl')).toMatchObject({ code: 0 })
  const own = await readFile(join(folder, 'own/a.jsonl'), 'utf8')
  expect(await dap('simulate', '--log', 'shared/b.jsonl')).toMatchObject({ code: 0 })
  const other = ofAnother(own, record => {
    record.context = {}
  })
  await writeFile(join(folder, 'shared/a.jsonl'), other)

  const until = ['--until', '2036-01-01T00:00:00Z']
  const train = async (name: string) => {
    const { code, stdout, stderr } = await dap(
      'train',
      'offer',
      '--dataset',
      name,
      '--json',
      '--out',
      `${name}.json`,
      ...until,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { notes, rows } = JSON.parse(stdout).dataset
    const { state } = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'))
    return { notes, rows, state }
  }
  const alone = await train('own')
  const shared = await train('shared')
  expect(shared.rows).toBe(alone.rows)
  const left = '1000 decisions of other policies, left out'
  expect(shared.notes).toEqual([...alone.notes, left])
  expect(shared.state).toEqual(alone.state)

  const judge = async () => JSON.parse((await dap('evaluate', 'week', '--json')).stdout).candidates
  const ofOwn = await judge()
  const week = join(folder, 'evaluations/week.yaml')
  await writeFile(week, (await readFile(week, 'utf8')).replace('dataset: own', 'dataset: shared'))
  expect(await judge()).toEqual(ofOwn)

  // Without the names of policies all of it is read, and what is wrong with it says that there are some.
  await writeFile(join(folder, 'datasets/shared.yaml'), dataset('shared', ''))
  const all = await dap('train', 'offer', '--dataset', 'shared', ...until)
  expect(all.code).toBe(1)
  expect(all.stderr).toContain('; `policies` there says whose decisions are read')
})

it('a mapped log takes no names of policies', async () => {
  const folder = await onDisk({
    ...offerWeek(),
    'log.csv': 'a,p,r\nnone,0.5,1\n',
    'datasets/log.yaml': resource(
      'Dataset',
      'log',
      'files: [log.csv]\nformat: csv\npolicies: [offer]\nmapping: { action: a, propensity: p, reward: r }',
    ),
  })
  const { code, stdout } = await dapIn(folder, 'validate', 'datasets/log.yaml')
  expect(code).toBe(1)
  expect(stdout).toContain('a mapped log does not say which policy decided: it takes no `policies`')
})
