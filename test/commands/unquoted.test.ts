import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

/** Files that are no log, by what they are called; every one of their words is told by `hush`. */
const FILES = {
  passwd: 'hush-root:x:0:0:hush:/root:/bin/hush\nhush-bin:x:2:2:hush:/bin:/bin/hush\n',
  token: 'hush-token\n',
  'key.pem': '-----BEGIN HUSH KEY-----\nhush+hush/hush\n-----END HUSH KEY-----\n',
  'settings.ini': '[hush]\nhush = "hush\n',
  'account.json': '{ "type": "hush", "private_key": "hush-key", "n": 1 }\n',
  'lines.json':
    '{"type":"hush","private_key":"hush-key","n":0.5}\n{"type":"hush","private_key":"hush-other","n":0.5}\n',
  'schema.json': '{"schema":"hush","decisionId":"hush"}\n["hush"]\n"hush"\nhush\n{}\n',
  'users.csv': 'User,Password,n\nhush-a,hush-b,0.5\nhush-c,hush-d,0.5\n',
  'bytes.bin': '\x00hush\xff\x01PAR1',
}

const MAPPINGS = {
  csv: [
    'mapping: { action: action, propensity: p, reward: r }',
    'csv: { header: false, delimiter: ":" }\nmapping: { action: column1, propensity: column3, reward: column4 }',
    'csv: { header: false }\nmapping: { action: column1, propensity: column1, reward: column1 }',
    'mapping: { action: Password, propensity: n, reward: n, unit: User, ts: User, eligible: Password, propensities: Password }',
  ],
  jsonl: [
    'mapping: { action: action, propensity: p, reward: r }',
    'mapping: { action: private_key, propensity: n, reward: n }',
    'mapping: { action: private_key, propensity: n, reward: private_key, ts: type, eligible: type }',
  ],
  parquet: ['mapping: { action: action, propensity: p, reward: r }'],
  dap: [''],
}

const POLICY = resource(
  'Policy',
  'offer',
  'context: { type: { type: string, enum: [a] }, User: { type: string, enum: [a] } }\nactions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }',
)

const words = async (folder: string, ...line: string[]) => {
  const { code, stdout, stderr } = await dapIn(folder, ...line)
  expect(code, line.join(' ')).not.toBe(70)
  return stdout + stderr
}

describe('a file that is no log', () => {
  it.each(Object.entries(FILES))('is not quoted: %s', async (name, text) => {
    for (const [format, mappings] of Object.entries(MAPPINGS)) {
      for (const mapping of mappings) {
        for (const quality of ['fail', 'drop']) {
          const dataset = `files: [${name}]\nformat: ${format}\nactions: { policy: offer }\nquality: { badRows: ${quality} }\n${mapping}`
          const folder = await onDisk({
            'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
            'policies/offer.yaml': POLICY,
            'datasets/log.yaml': resource('Dataset', 'log', dataset),
            'evaluations/next.yaml': resource(
              'Evaluation',
              'next',
              'dataset: log\nestimators: [ips]\ncandidates: [{ name: b, fixed: b }, { name: new, policy: offer }]',
            ),
            [name]: text,
          })
          expect(await words(folder, 'evaluate'), mapping).not.toMatch(/hush/i)
          expect(await words(folder, 'train', 'offer'), mapping).not.toMatch(/hush/i)
        }
      }
    }
  })

  it.each(Object.entries(FILES))(
    'is not quoted where a table, a snapshot, a bundle or a log of dap is read: %s',
    async (name, text) => {
      const folder = await onDisk({
        'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
        'policies/offer.yaml': POLICY,
        'datasets/log.yaml': resource(
          'Dataset',
          'log',
          'files: [log.csv]\nformat: csv\nactions: { policy: offer }\nmapping: { action: action, propensity: p, reward: r }',
        ),
        'log.csv': 'action,p,r\na,0.5,1\nb,0.5,0\n',
        'evaluations/table.yaml': resource(
          'Evaluation',
          'table',
          `dataset: log\nestimators: [ips]\ncandidates: [{ name: t, table: { file: ${name} } }]`,
        ),
        'evaluations/snapshot.yaml': resource(
          'Evaluation',
          'snapshot',
          `dataset: log\nestimators: [ips]\ncandidates: [{ name: s, policy: offer, snapshot: ${name} }]`,
        ),
        [name]: text,
        'snapshots/x': '',
      })
      await symlink(`../${name}`, join(folder, 'snapshots/offer.json'))
      for (const line of [
        'evaluate table',
        'evaluate snapshot',
        'bundle offer',
        'decide offer --context {}',
        `snapshot show ${name}`,
        `plan show ${name}`,
        `log check ${name}`,
        `log stats ${name}`,
        `decide offer --replay ${name}`,
      ]) {
        expect(await words(folder, ...line.split(' ')), line).not.toMatch(/hush/i)
      }
    },
  )
})
