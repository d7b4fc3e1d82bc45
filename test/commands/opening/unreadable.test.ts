import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { onDisk } from '../../support/disk.ts'
import { offerWeek } from '../../support/offer-week.ts'
import { resource } from '../../support/repository.ts'
import { dapIn } from '../../support/run-dap.ts'

const LATIN = Buffer.from('name: caf\u00e9', 'latin1')

describe('a file that cannot be read', () => {
  it('is named as everywhere, and by no path of this machine, from whatever folder', async () => {
    const set = resource(
      'ActionSet',
      'shelf',
      'file: data/items.csv\nformat: csv\nid: id\nfeatures: { price: { type: number } }',
    )
    const folder = await onDisk({
      ...offerWeek(['uniform']),
      'policies/shelf.yaml': set,
      'policies/latin.yaml': LATIN,
      'data/items.csv': LATIN,
    })
    const [above, below] = [await dapIn(folder, 'validate'), await dapIn(join(folder, 'policies'), 'validate')]
    expect(above.code).toBe(1)
    expect(above.stdout).toContain('policies/latin.yaml: error: the file is not UTF-8 text')
    expect(above.stdout).toMatch(/policies\/shelf.yaml:\d+:\d+: error: `data\/items.csv` is not UTF-8 text/)
    expect(above.stdout).not.toContain(folder)
    expect(below.stdout).toBe(above.stdout)
  })
})
