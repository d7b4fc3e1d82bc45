import { appendFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { offer, PATIENT, post, repository, waitFor } from '../serve/serving.ts'
import { onDisk } from '../support/disk.ts'
import { dapIn, PACKAGE_ROOT } from '../support/run-dap.ts'

const bin = join(PACKAGE_ROOT, 'bin', 'dap.js')

function start(folder: string, ...words: readonly string[]) {
  const running = execa(process.execPath, [bin, ...words], { cwd: folder, reject: false, buffer: false })
  const heard = { stdout: '', stderr: '' }
  running.stdout.on('data', data => {
    heard.stdout += data
  })
  running.stderr.on('data', data => {
    heard.stderr += data
  })
  onTestFinished(() => void running.kill('SIGKILL'))
  const until = (text: string, of: 'stdout' | 'stderr' = 'stdout') =>
    waitFor(() => (heard[of].includes(text) ? true : undefined))
  return { running, heard, until }
}

const TIME = /^\d\d:\d\d:\d\d\.\d{3} {2}/gm

/** A served decision, from which others are made. */
async function someDecision(): Promise<Record<string, unknown>> {
  const folder = await repository({ 'policies/offer.yaml': offer() })
  await dapIn(folder, 'validate')
  const server = start(folder, 'serve', ...PATIENT)
  await server.until('listening', 'stderr')
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.heard.stderr)![0]
  await post(`${url}/v1/decide`, { policy: 'offer', decisionId: 'd', context: { player: 'p' } })
  server.running.kill('SIGTERM')
  await server.running
  const [file] = (await readdir(join(folder, 'logs'))).filter(name => name.startsWith('decisions'))
  return JSON.parse(await readFile(join(folder, 'logs', file), 'utf8'))
}

const DECISIONS = (hour: number, n: number) =>
  `decisions-20261129T${String(hour).padStart(2, '0')}0000Z-host-7-${n}.jsonl`

describe('dap log tail', () => {
  it('shows what a real server logs while it logs it, from before there is a log, and ends with 130 at Ctrl-C', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const tail = start(folder, 'log', 'tail')
    await tail.until('waiting for a log in `logs`', 'stderr')
    const server = start(folder, 'serve', ...PATIENT)
    await server.until('listening', 'stderr')
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.heard.stderr)![0]
    const { json } = await post(`${url}/v1/decide`, { policy: 'offer', decisionId: 'one', context: { player: 'p1' } })
    const { action } = json as { action: string }
    await tail.until('one')
    await post(`${url}/v1/rewards`, { decisionId: 'one', value: 1 })
    await tail.until('reward 1')
    tail.running.kill('SIGINT')
    expect((await tail.running).exitCode).toBe(130)
    const [first, second] = tail.heard.stdout.replaceAll(TIME, '').split('\n')
    expect(first).toMatch(new RegExp(`^one {2}p1 {2}${action} {2}0\\.\\d+$`))
    expect(second).toBe(`one  p1  ${action}  reward 1`)
    expect(tail.heard.stderr).toBe('waiting for a log in `logs`\ninterrupted\n')
  })

  it('follows new files, compressed ones, others at the same path, and waits for the end of a line', async () => {
    const base = await someDecision()
    const line = (id: string) => `${JSON.stringify({ ...base, decisionId: id })}\n`
    const folder = await onDisk({ [`logs/${DECISIONS(8, 0)}`]: line('a') + line('b'), 'other.jsonl': line('x') })
    const at = (path: string) => join(folder, path)
    const tail = start(folder, 'log', 'tail', 'logs', 'other.jsonl', '--json', '-n', '1')
    const ids = () => tail.heard.stdout.split('\n').flatMap(text => (text === '' ? [] : [JSON.parse(text).decisionId]))
    const shown = (...all: readonly string[]) => expect.poll(ids, { timeout: 60_000 }).toEqual(all)
    const before = await waitFor(() => (ids().length > 0 ? ids() : undefined))
    expect(before).toHaveLength(1)
    // In pieces, in the middle of a character, too.
    const c = Buffer.from(line('c-é'))
    for (let i = 0; i < c.length; i += 97) await appendFile(at(`logs/${DECISIONS(8, 0)}`), c.subarray(i, i + 97))
    await shown(...before, 'c-é')
    await writeFile(at(`logs/${DECISIONS(9, 1)}`), line('d'))
    await shown(...before, 'c-é', 'd')
    // A closed file is compressed, which brings nothing new; and one that came and was compressed between two looks does.
    const closed = await readFile(at(`logs/${DECISIONS(8, 0)}`))
    await writeFile(at(`logs/${DECISIONS(8, 0)}.gz`), gzipSync(closed))
    await rm(at(`logs/${DECISIONS(8, 0)}`))
    await writeFile(at(`logs/${DECISIONS(10, 2)}.gz`), gzipSync(line('e')))
    await shown(...before, 'c-é', 'd', 'e')
    await writeFile(at('new.jsonl'), line('y'))
    await rename(at('new.jsonl'), at('other.jsonl'))
    await shown(...before, 'c-é', 'd', 'e', 'y')
    await appendFile(at('other.jsonl'), `no record\n${JSON.stringify({ schema: 'dap.decision/v1' })}\n${line('last')}`)
    await shown(...before, 'c-é', 'd', 'e', 'y', 'last')
    tail.running.kill('SIGTERM')
    await tail.running
    expect(tail.heard.stderr.split('\n')).toEqual([
      'other.jsonl:2: is not JSON',
      expect.stringMatching(/^other\.jsonl:3: `\w+` is missing/),
      'interrupted',
      '',
    ])
  })

  it('shows the last ones of every process in their order, filters, and says each bad line once', async () => {
    const base = (await someDecision()) as { policy: object; slots: readonly object[] }
    const line = (second: number, id: string, unit: string, action = 'gold') =>
      `${JSON.stringify({
        ...base,
        ...{ decisionId: id, unit, ts: `2026-11-29T08:00:${String(second).padStart(2, '0')}.000Z` },
        slots: [{ ...base.slots[0], action }],
      })}\n`
    const reward = (second: number, id: string) =>
      `${JSON.stringify({ schema: 'dap.reward/v1', rewardId: `r-${id}`, decisionId: id, value: 1, ts: `2026-11-29T08:00:${second}.000Z` })}\n`
    const folder = await onDisk({
      [`logs/${DECISIONS(6, 0)}`]: `rubbish that is never read\n${line(1, 'a', 'p1')}`,
      [`logs/${DECISIONS(7, 1)}`]: line(2, 'b', 'p1') + line(4, 'd', 'p2', 'none') + line(6, 'f', 'p1'),
      [`logs/${DECISIONS(8, 2).replace('-7-', '-8-')}`]: `${line(3, 'c', 'p3')}rubbish\n${line(5, 'e', 'p\u001b[31m4')}{"schema":`,
      'logs/rewards-20261129T070000Z-host-7-9.jsonl': reward(10, 'a') + reward(12, 'e') + reward(11, 'f'),
    })
    const tail = async (...words: readonly string[]) => {
      const { code, stdout, stderr } = await dapIn(folder, 'log', 'tail', '--no-follow', ...words)
      expect(code).toBe(0)
      return `${stdout}${stderr}`
    }
    expect(await tail('-n', '3')).toMatchInlineSnapshot(`
      "08:00:04.000  d  p2  none  0.5
      08:00:05.000  e  p\\u001b[31m4  gold  0.5
      08:00:06.000  f  p1            gold  0.5
      08:00:11.000  f  p1            gold  reward 1
      08:00:12.000  e  p\\u001b[31m4  gold  reward 1
      logs/decisions-20261129T080000Z-host-8-2.jsonl:2: is not JSON
      logs/decisions-20261129T080000Z-host-8-2.jsonl:4: ends in the middle of a record
      "
    `)
    expect(await tail('-n', '9', '--unit', 'p1')).toMatchInlineSnapshot(`
      "08:00:01.000  a  p1  gold  0.5
      08:00:02.000  b  p1  gold  0.5
      08:00:06.000  f  p1  gold  0.5
      08:00:10.000  a  p1  gold  reward 1
      08:00:11.000  f  p1  gold  reward 1
      logs/decisions-20261129T060000Z-host-7-0.jsonl:1: is not JSON
      logs/decisions-20261129T080000Z-host-8-2.jsonl:2: is not JSON
      logs/decisions-20261129T080000Z-host-8-2.jsonl:4: ends in the middle of a record
      "
    `)
    expect((await tail('--action', 'none')).split('\n')[0]).toContain('d  p2  none')
    expect(await tail('--policy', 'nobody')).not.toContain('gold')
    expect(await tail('-n', '0')).toBe('')
    expect(await dapIn(folder, 'log', 'tail', '--no-follow', 'nowhere')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no such file or folder: `nowhere`'),
    })
  })

  it('ends when nobody reads any more', async () => {
    const base = await someDecision()
    const line = `${JSON.stringify(base)}\n`
    const folder = await onDisk({ [`logs/${DECISIONS(8, 0)}`]: line.repeat(50) })
    const script = `"$0" "$1" log tail -n 50 | head -n 1; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = await execa('bash', ['-c', script, process.execPath, bin], { cwd: folder })
    expect(stdout.split('\n')[1]).toBe('0')
    expect(stderr).toBe('')
  })
})
