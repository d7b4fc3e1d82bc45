import { expect, it } from 'vitest'
import { lockProcesses } from '../../../src/adapters/node/lock-processes.ts'
import { decodeLabels, encodeLabels } from '../../../src/adapters/vertex/labels.ts'

const { process, stateOf } = lockProcesses()

it('a process is known again by what the label of a lock keeps of it', () => {
  const whose = { project: 'shop', environment: 'local', deployment: 'offer' }
  const labels = encodeLabels({ ...whose, lock: { run: '0000000a', expires: 1, owner: 'ann', process } }, {})
  expect(labels['dap-lock-process']).toMatch(/^[a-z0-9_-]{1,63}$/)
  const read = decodeLabels(labels).ours?.lock?.process
  expect(read).toEqual(process)
  expect(stateOf(read ?? process)).toBe('running')
})

it('is gone where another has its number, and elsewhere on any other machine', () => {
  expect(stateOf({ ...process, started: '0-1' })).toBe('gone')
  expect(stateOf({ ...process, pid: 999_999_999 })).toBe('gone')
  expect(stateOf({ ...process, host: '0'.repeat(16) })).toBe('elsewhere')
  expect(stateOf({ ...process, started: null })).toBe('unknown')
})
