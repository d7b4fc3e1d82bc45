import { describe, expect, it } from 'vitest'
import { tablesOptions } from '../../../src/commands/reading/tables-options.ts'
import type { Host } from '../../../src/host.ts'
import { dap } from '../../support/run-dap.ts'

function asked(flags: Readonly<Record<string, string>>, variables: Readonly<Record<string, string>> = {}) {
  const host = {
    cwd: '/repo',
    environment: (name: string) => variables[name],
    files: { isFolder: async (path: string) => path === '/repo/tmp' },
  }
  return tablesOptions(flags, host as unknown as Host)
}

describe('--memory and --spill', () => {
  it('may be left out', async () => {
    expect(await asked({})).toEqual({})
    expect(await asked({}, { DAP_MEMORY: '', DAP_SPILL: '' })).toEqual({})
  })

  it.each([
    ['512MB', 512e6],
    ['1.5 gb', 1.5e9],
    ['2GiB', 2 ** 31],
    ['128mb', 128e6],
  ])('%s', async (memory, bytes) => {
    expect(await asked({ memory, spill: 'tmp' })).toEqual({ memory: bytes, folder: '/repo/tmp' })
    expect(await asked({}, { DAP_MEMORY: memory, DAP_SPILL: '/repo/tmp' })).toEqual({
      memory: bytes,
      folder: '/repo/tmp',
    })
  })

  it('go before the environment', async () => {
    expect(await asked({ memory: '1GB' }, { DAP_MEMORY: 'much', DAP_SPILL: 'tmp' })).toEqual({
      memory: 1e9,
      folder: '/repo/tmp',
    })
  })

  it.each(['', '1', '1 M', '127MB', '-1GB', '1e9GB', '0.0001GB', 'GB', '1GB2', '999999999TB'])(
    'no %s',
    async memory => {
      await expect(asked({ memory })).rejects.toThrow('--memory takes a size of at least 128MB')
    },
  )

  it('are mistakes of usage where they are wrong, and say whose', async () => {
    await expect(asked({}, { DAP_MEMORY: 'lots' })).rejects.toThrow('DAP_MEMORY takes a size')
    await expect(asked({}, { DAP_SPILL: 'none' })).rejects.toThrow('DAP_SPILL takes a folder, and `none` is none')
    for (const command of ['evaluate', 'train']) {
      expect(await dap(`${command} --memory all`)).toMatchObject({ code: 3, stderr: expect.stringContaining('`all`') })
      expect(await dap(`${command} --spill none`)).toMatchObject({ code: 3, stderr: expect.stringContaining('`none`') })
      expect((await dap(`${command} --help`)).stdout).toContain('--memory <size>')
    }
  })
})
