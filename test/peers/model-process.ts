import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { expect } from 'vitest'
import type { Runtime, Tensor } from '../../src/models/runtime.ts'

const PROGRAMS = new URL('python/', import.meta.url).pathname

/** A server of models that a program in Python is, and what it says of itself in its first line. */
export interface ModelProcess<Said> {
  readonly said: Said
  /** Rejects when it has ended, and says what it complained of. */
  readonly ended: Promise<never>
  /** What it has for files. */
  readonly folder: string
  /** With no word to its connections, as a machine that is gone. */
  kill(): Promise<void>
  end(): Promise<void>
}

export async function modelProcess<Said>(python: string, program: string): Promise<ModelProcess<Said>> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-model-'))
  const child = execa(python, [join(PROGRAMS, program), folder], { reject: false, buffer: false, stderr: 'pipe' })
  const complaints: string[] = []
  child.stderr.on('data', text => complaints.push(String(text)))
  const ended = child.then((): never => {
    throw new Error(`${program} has ended: ${complaints.join('').slice(-2000)}`)
  })
  ended.catch(() => {})
  const [line] = await Promise.race([ended, nextLine(child.stdout)])
  child.stdout.resume()
  const kill = async () => {
    child.kill('SIGKILL')
    await child
  }
  return {
    said: JSON.parse(line) as Said,
    ended,
    folder,
    kill,
    async end() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function nextLine(input: NodeJS.ReadableStream): Promise<[string]> {
  const lines = createInterface({ input })
  return new Promise(resolve => lines.once('line', line => resolve([line])))
}

/** Waits until the model would answer, for as long as the test may take. */
export async function readyOf({ ended }: ModelProcess<unknown>, runtime: Runtime): Promise<void> {
  const ready = () => runtime.ready(AbortSignal.timeout(5000))
  await Promise.race([ended, expect.poll(ready, { timeout: 100_000, interval: 100 }).toBe(true)])
}

export function matrixOf(rows: readonly (readonly number[])[]): Tensor {
  return { rows: rows.length, columns: rows[0].length, data: Float32Array.from(rows.flat()) }
}

/** The largest difference between an output and what is expected of it. */
export function distance(output: Tensor | undefined, expected: readonly (readonly number[])[]): number {
  expect(output).toMatchObject({ rows: expected.length, columns: expected[0].length })
  const numbers = Array.from(output!.data, Number)
  return expected.flat().reduce((most, number, i) => Math.max(most, Math.abs(number - numbers[i])), 0)
}
