import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { recentClaims } from '../../../src/serve/ids/recent.ts'
import { onDisk } from '../../support/disk.ts'
import { bench } from '../support.ts'

const context = { playerId: 'p1', level: 30, platform: 'ios' }

/** Lines of decisions made `from` to `to` seconds ago, under the ids `PREFIX-SECONDS`, the oldest first. */
function decisions(prefix: string, from: number, to: number): string[] {
  const self = bench()
  const now = Date.now()
  for (let ago = from; ago >= to; ago--) self.engine.decide({ decisionId: `${prefix}-${ago}`, context }, 0)
  return self.decisions.map((record, i) =>
    JSON.stringify({ ...record, ts: new Date(now - (from - i) * 1000).toISOString() }),
  )
}

const text = (lines: readonly string[]) => lines.map(line => `${line}\n`).join('')
const name = (writer: string, n: number, ending = '') =>
  `decisions-20261128T${String(10 + n).padStart(2, '0')}0000Z-${writer}-7-${n}.jsonl${ending}`

async function recent(files: Readonly<Record<string, string | Buffer>>, retained = 100_000) {
  const folder = await onDisk({})
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content)
  const { readLines } = nodeFiles()
  const claims = await recentClaims(folder, { now: Date.now(), retentionMs: 600_000, retained, readLines })
  return claims.map(({ claim }) => claim.id)
}

describe('the ids that a log still knows', () => {
  it('are those of the last ten minutes, of every writer, oldest first', async () => {
    const ids = await recent({
      [name('a', 1)]: text(decisions('a', 700, 5)),
      [name('b', 1)]: text(decisions('b', 300, 299)),
    })
    // A second more or less: the clock goes on.
    expect(ids.length).toBeGreaterThanOrEqual(596)
    expect(ids.length).toBeLessThanOrEqual(598)
    expect(ids.at(-1)).toBe('a-5')
    expect(ids.indexOf('b-300')).toBeGreaterThan(ids.indexOf('a-302'))
    expect(ids.indexOf('b-300')).toBeLessThan(ids.indexOf('a-298'))
  })

  it('are so many at most, the newest, over all segments of a writer', async () => {
    const files = {
      [name('a', 1)]: text(decisions('a', 300, 201)),
      [name('a', 2)]: text(decisions('a', 200, 101)),
      [name('a', 3)]: text(decisions('a', 100, 1)),
    }
    expect(await recent(files, 150)).toEqual(Array.from({ length: 150 }, (_, i) => `a-${150 - i}`))
  })

  it('come from compressed segments, too, and past a line that was cut off and lines that are no records', async () => {
    const lines = [...decisions('a', 100, 1), 'no record', '']
    const cut = text(lines).slice(0, -1) + lines[0].slice(0, 100)
    const expected = Array.from({ length: 100 }, (_, i) => `a-${100 - i}`)
    expect(await recent({ [name('a', 1)]: cut })).toEqual(expected)
    expect(await recent({ [name('a', 1, '.gz')]: gzipSync(text(lines)) })).toEqual(expected)
    expect(await recent({ [name('a', 1, '.zst')]: zstdCompressSync(text(lines)) })).toEqual(expected)
  })

  it('are found in lines of any length, wherever a piece of the file begins', async () => {
    const long = decisions('a', 60, 1).map((line, i) => `${line}${' '.repeat((i * 7919) % 30_000)}`)
    expect(await recent({ [name('a', 1)]: text(long) })).toEqual(Array.from({ length: 60 }, (_, i) => `a-${60 - i}`))
  })

  it('are none where there is no folder, and of files that no server wrote', async () => {
    expect(await recent({ 'decisions.jsonl': text(decisions('a', 2, 1)) })).toEqual([])
    const { readLines } = nodeFiles()
    const options = { now: Date.now(), retentionMs: 600_000, retained: 10, readLines }
    expect(await recentClaims('/nowhere/at/all', options)).toEqual([])
  })
})
