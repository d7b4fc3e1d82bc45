import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

describe('a real bash', () => {
  it('completes commands, names and choices, and files where dap has nothing', async () => {
    const folder = await onDisk({
      'dap.yaml': resource('Project', 'shop', '{}'),
      'environments/prod.yaml': resource('Environment', 'prod', 'target: emulator'),
    })
    await mkdir(join(folder, 'bin'))
    await symlink(join(PACKAGE_ROOT, 'bin', 'dap.js'), join(folder, 'bin', 'dap'))
    // What readline does when the key is pressed, with words as it takes them apart.
    const press = `
      press() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dap "$1"; echo "\${COMPREPLY[*]}"; }
      source <(dap completion bash)
      complete -p dap
      press dap vali
      press dap plan --env ''
      press dap validate --format = sa
      press dap validate ''
    `
    const { stdout } = await execa('bash', ['--norc', '--noprofile', '-c', press], {
      cwd: folder,
      env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
    })
    expect(stdout.split('\n')).toEqual([
      'complete -o bashdefault -o default -F _dap dap',
      'validate',
      'prod',
      'sarif',
      '',
    ])
  })
})
