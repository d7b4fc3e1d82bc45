import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stream } from '../../../src/math/rng.ts'
import { type FileSinkOptions, fileSink } from '../../../src/serve/log/files.ts'
import { createLogWriter } from '../../../src/serve/log/log-writer.ts'
import { stdoutSink } from '../../../src/serve/log/stdout.ts'
import { fakeTimers } from '../support/fake-timers.ts'

const CHILD = fileURLToPath(new URL('../support/write-log.ts', import.meta.url))
const START = Date.UTC(2026, 10, 22, 18, 15, 53)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dap-sinks-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const sinkAt = (options: Partial<FileSinkOptions> = {}) =>
  fileSink(folder, { fsync: 'never', worker: 'w1', clock: { now: () => START }, ...options })

const names = (where = folder) => readdirSync(where).sort((a, b) => number(a) - number(b))
const number = (name: string) => Number(/-(\d+)\.jsonl$/.exec(name)?.[1])
const text = (name: string) => readFileSync(join(folder, name), 'utf8')

describe('the stdout sink', () => {
  it('passes the lines of both streams on, and waits for the reader', async () => {
    const seen: string[] = []
    const sink = stdoutSink(async lines => void seen.push(lines))
    await sink.write('decisions', Buffer.from('{"a":1}\n{"a":2}\n'))
    await sink.write('rewards', Buffer.from('{"b":1}\n'))
    expect(seen).toEqual(['{"a":1}\n{"a":2}\n', '{"b":1}\n'])
  })
})

describe('segments', () => {
  it('are made at the first record, one a stream, with names that tell when, where and by whom', async () => {
    const sink = sinkAt({ worker: 'host/../7 b' })
    expect(names()).toEqual([])
    await sink.write('decisions', Buffer.from('a\n'))
    await sink.write('rewards', Buffer.from('r\n'))
    await sink.write('decisions', Buffer.from('b\nc\n'))
    await sink.close()
    expect(names()).toEqual([
      `decisions-20261122T181553Z-host-..-7-b-${process.pid}-0.jsonl`,
      `rewards-20261122T181553Z-host-..-7-b-${process.pid}-1.jsonl`,
    ])
    expect(names().map(text)).toEqual(['a\nb\nc\n', 'r\n'])
    expect(statSync(join(folder, names()[0])).mode & 0o777 & ~0o640).toBe(0)
  })

  it('end before they grow too large, but hold at least one write', async () => {
    const sink = sinkAt({ maxBytes: 10 })
    for (const lines of ['123456789012\n', '1234\n', '1234\n', '1\n']) await sink.write('decisions', Buffer.from(lines))
    await sink.close()
    expect(names().map(text)).toEqual(['123456789012\n', '1234\n1234\n', '1\n'])
  })

  it('that somebody deletes are told of, and followed by another', async () => {
    const sink = sinkAt()
    await sink.write('decisions', Buffer.from('a\n'))
    rmSync(folder, { recursive: true })
    await expect(sink.write('decisions', Buffer.from('b\n'))).rejects.toThrow('was deleted')
    await sink.write('decisions', Buffer.from('b\n'))
    await sink.close()
    expect(names().map(text)).toEqual(['b\n'])
  })

  it('end with the hour of UTC', async () => {
    let now = START
    const sink = sinkAt({ clock: { now: () => now } })
    await sink.write('decisions', Buffer.from('a\n'))
    now = Date.UTC(2026, 10, 22, 18, 59, 59, 999)
    await sink.write('decisions', Buffer.from('b\n'))
    now++
    await sink.write('decisions', Buffer.from('c\n'))
    await sink.close()
    expect(names().map(text)).toEqual(['a\nb\n', 'c\n'])
    expect(names()[1]).toContain('-20261122T190000Z-')
  })

  it('are never those of another process that had the same name', async () => {
    const first = sinkAt()
    await first.write('decisions', Buffer.from('a\n'))
    await first.close()
    const second = sinkAt()
    await second.write('decisions', Buffer.from('b\n'))
    await second.close()
    expect(names().map(text)).toEqual(['a\n', 'b\n'])
  })

  it.each(['never', 'interval', 'always'] as const)('hold what was written with fsync %s', async fsync => {
    const timers = fakeTimers()
    const sink = sinkAt({ fsync, timers })
    for (const lines of ['a\n', 'b\n']) {
      await sink.write('decisions', Buffer.from(lines))
      await timers.pass(1500)
    }
    await sink.close()
    expect(names().map(text)).toEqual(['a\nb\n'])
  })

  it('are made once the folder can be', async () => {
    const blocked = join(folder, 'file')
    writeFileSync(blocked, '')
    const sink = fileSink(join(blocked, 'logs'), { fsync: 'never', worker: 'w', clock: { now: () => START } })
    await expect(sink.write('decisions', Buffer.from('a\n'))).rejects.toThrow('ENOTDIR')
    rmSync(blocked)
    await sink.write('decisions', Buffer.from('a\n'))
    await sink.close()
    expect(names(join(blocked, 'logs'))).toHaveLength(1)
  })
})

/** The lines of every segment, each whole. */
function wholeLines(): { process: number; n: number }[] {
  return names().flatMap(name => {
    const all = text(name)
    expect(all.endsWith('\n')).toBe(true)
    return all
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
  })
}

describe('the log of a process', () => {
  it('holds every record once and in order though the system refuses to let files grow', async () => {
    // Blocks of 1,024 bytes.
    const command = `ulimit -f 64; exec "$0" "$1" "$2" 300 1000`
    const out = execFileSync('bash', ['-c', command, process.execPath, CHILD, folder], { encoding: 'utf8' })
    const failures = Number(/failures (\d+)/.exec(out)?.[1])
    expect(failures).toBeGreaterThan(0)
    expect(wholeLines().map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, n) => n))
  })

  it('survives a full disk', async context => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' })
    } catch {
      context.skip('a small file system cannot be mounted here')
    }
    try {
      writeFileSync(join(folder, 'ballast'), 'x'.repeat(160 * 1024))
      const log = createLogWriter(sinkAt(), { flushMs: 1, flushBytes: 20_000 })
      const pushed = Array.from({ length: 150 }, (_, n) => ({ process: 0, n, filler: 'x'.repeat(1000) }))
      for (const [i, record] of pushed.entries()) {
        log.push('decisions', JSON.stringify(record))
        if (i % 30 === 29) await Promise.race([log.flush(), new Promise(resolve => setTimeout(resolve, 50))])
      }
      await expect.poll(() => log.trouble).toContain('ENOSPC')
      rmSync(join(folder, 'ballast'))
      await log.close(600_000)
      expect(log.trouble).toBeUndefined()
      expect(wholeLines()).toEqual(pushed)
    } finally {
      execFileSync('umount', [folder])
    }
  })

  it('loses nothing that was written when the process is killed, and tears no line but the last', async () => {
    const rng = stream(1, 'kill')
    for (let round = 0; round < 6; round++) {
      const before = new Set(names())
      const known = await killAfter(1 + Math.floor(rng.uniform() * 1500))
      const [segment] = names().filter(name => name.endsWith('.jsonl') && !before.has(name))
      const lines = segment === undefined ? [] : text(segment).split('\n').slice(0, -1)
      expect(lines.map(line => JSON.parse(line).n)).toEqual(Array.from(lines.keys()))
      expect(lines.length).toBeGreaterThanOrEqual(known)
    }
    expect(names().length).toBeGreaterThan(1)
    execFileSync(process.execPath, [CHILD, folder, '50', '10'])
    expect(
      text(names().findLast(name => text(name).length < 5000) as string)
        .split('\n')
        .filter(Boolean),
    ).toHaveLength(50)
  })
})

/** Starts a process that logs, kills it after it has printed so many lines, and returns how many records it knew to be written. */
function killAfter(printed: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, folder, '1000000', '2000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', chunk => {
      out += chunk
      if (out.split('\n').length > printed) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', () => resolve(Number(out.split('\n').at(-2) ?? 0)))
  })
}
