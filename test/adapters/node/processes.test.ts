import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { isAlive, lookInProc, lookWithPs, thisProcess } from '../../../src/adapters/node/processes.ts'

const linux = process.platform === 'linux'
const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process that says something when it runs, and then does nothing. */
async function child(program: string, ...args: string[]): Promise<{ process: ChildProcess; said: string }> {
  const started = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(started)
  const [said] = await once(started.stdout, 'data')
  return { process: started, said: String(said).trim() }
}

const another = () => child('sh', '-c', 'echo up; exec sleep 600')

/** It ended, and its parent is too busy to ask how. */
async function zombie(look: typeof lookInProc): Promise<number> {
  const parent = `console.log(require('node:child_process').spawn('true').pid); for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`
  const pid = Number((await child(process.execPath, '-e', parent)).said)
  for (;;) {
    if (look(pid) === 'zombie') return pid
    await new Promise(done => setTimeout(done, 5))
  }
}

describe('the identity of a process', () => {
  it('is that of this one, as long as it runs', () => {
    expect(thisProcess()).toMatchObject({ pid: process.pid })
    expect(isAlive(thisProcess())).toBe(true)
  })

  it('is made of what a label may hold', () => {
    const { host, started } = thisProcess()
    expect(host).toMatch(/^[A-Za-z0-9.-]+$/)
    expect(started).toMatch(/^[a-z0-9-]+$/)
  })

  it('outlives a form that was written down', () => {
    expect(isAlive(JSON.parse(JSON.stringify(thisProcess())))).toBe(true)
  })

  it('is not that of a later process with its number', () => {
    expect(isAlive({ ...thisProcess(), started: '0' })).toBe(false)
  })

  it('cannot be told of elsewhere, nor without a start', () => {
    expect(isAlive({ ...thisProcess(), host: 'elsewhere' })).toBe('unknown')
    expect(isAlive({ host: thisProcess().host, pid: process.pid })).toBe('unknown')
  })

  it.each([0, -1, 0.5, Number.NaN, 999_999_999])('is of nobody where the number is %d', pid => {
    expect(isAlive({ ...thisProcess(), pid })).toBe(false)
  })

  it('ends with its process', async () => {
    const { process } = await another()
    const pid = process.pid as number
    const look = linux ? lookInProc(pid) : lookWithPs(pid)
    const identity = { host: thisProcess().host, pid, ...(look as { started: string }) }
    expect(isAlive(identity)).toBe(true)
    process.kill('SIGKILL')
    await once(process, 'exit')
    expect(isAlive(identity)).toBe(false)
  })

  it.runIf(linux)('ends with a process that nobody has buried', async () => {
    const pid = await zombie(lookInProc)
    expect(isAlive({ host: thisProcess().host, pid })).toBe(false)
  })
})

describe.each([
  ...(linux ? ([['/proc', lookInProc]] as const) : []),
  ...(process.platform === 'win32' ? [] : ([['ps', lookWithPs]] as const)),
])('%s', (_, look) => {
  it('says the same of a process each time, and something else of another', async () => {
    const one = look(process.pid)
    expect(one).toEqual(look(process.pid))
    // The first process of the machine, or of the container, is older.
    expect(look(1)).not.toEqual(one)
    expect(one).toEqual({ started: expect.stringMatching(/^[a-z0-9-]*\d$/) })
  })

  it('sees no process where there is none', () => {
    expect(look(999_999_999)).toBe('unseen')
  })

  it('knows a zombie', async () => {
    await zombie(look)
  })

  it('is not misled by the name of a program', async () => {
    const { process: odd } = await child('sh', '-c', 'printf ") Z 1 (" 2>/dev/null > /proc/self/comm; echo up; read x')
    expect(look(odd.pid as number)).toEqual({ started: expect.stringMatching(/\d$/) })
  })
})
