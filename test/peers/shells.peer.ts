/** Completion under a real zsh and a real fish: those of the machine, or Debian's, unpacked beside it. bash is in test/e2e. */
import { mkdir, readdir, symlink } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { cachedFor } from './cache.ts'
import { needs } from './needs.ts'

const PACKAGES = ['zsh', 'zsh-common', 'fish', 'fish-common', 'libpcre2-32-0']

/** The root of Debian's packages, of which nothing is installed. */
const unpacked = () =>
  cachedFor(`debian ${PACKAGES.join(' ')}`, async cwd => {
    const download = () => execa('apt-get', ['download', ...PACKAGES], { cwd })
    await download().catch(async () => {
      await execa('apt-get', ['update'])
      await download()
    })
    for (const file of await readdir(cwd))
      if (file.endsWith('.deb')) await execa('dpkg-deb', ['-x', file, '.'], { cwd })
  })

let folder: string
let env: Record<string, string>

beforeAll(async () => {
  folder = await onDisk({
    'dap.yaml': resource('Project', 'shop', '{}'),
    'environments/local.yaml': resource('Environment', 'local', 'target: emulator'),
    'environments/prod.yaml': resource('Environment', 'prod', 'target: emulator'),
  })
  await mkdir(join(folder, 'bin'))
  await symlink(join(PACKAGE_ROOT, 'bin', 'dap.js'), join(folder, 'bin', 'dap'))
  env = {
    PATH: [join(folder, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: folder,
    TERM: 'xterm',
  }
})

describe('completion', () => {
  it('works in a real fish', async context => {
    const root = await needs(context, unpacked)
    const script = `
      set fish_function_path ${root}/usr/share/fish/functions $fish_function_path
      dap completion fish | source
      for line in 'dap vali' 'dap plan --env ' 'dap validate --format=sa' 'dap validate envi'
        echo $line: (complete -C $line | string replace -r '\\t.*' '')
      end`
    const { stdout } = await execa(join(root, 'usr/bin/fish'), ['--no-config', '-c', script], {
      cwd: folder,
      env: { ...env, LD_LIBRARY_PATH: (await libraries(root)).join(delimiter) },
    })
    expect(stdout.split('\n')).toEqual([
      'dap vali: validate',
      'dap plan --env : local prod',
      'dap validate --format=sa: --format=sarif',
      'dap validate envi: environments/',
    ])
  })

  it('works in a real zsh, at whose terminal the key is pressed', async context => {
    const root = await needs(context, unpacked)
    const modules = join((await libraries(root))[0], 'zsh')
    const functions = `${root}/usr/share/zsh/functions`
    // Keys wait in the terminal until the shell reads them: what comes after a tab is read when the word is complete.
    const script = `
      module_path=(${modules}/*(/N)); fpath=(${functions} ${functions}/*(/N) ${functions}/Completion/*(/N))
      zmodload zsh/zpty
      zpty z ${root}/bin/zsh -f -i
      until_comes() {
        local piece all=
        while [[ $all != *$1*\\>* ]]; do zpty -r z piece || return; all+=$piece; done
        print -r -- "$all" | grep -a -o "$1[^>]*>" | tail -1
      }
      setup="PS1='% '; module_path=($module_path); fpath=($fpath); autoload -Uz compinit; compinit -u -D; bindkey -e"
      zpty -w z "$setup; source <(dap completion zsh); print rea''dy\\\\>"
      until_comes ready >/dev/null
      for line in 'dap vali' 'dap plan --env l' 'dap validate --format=sa' 'dap validate envi'; do
        zpty -w -n z "$line"$'\\t\\x01print -r -- "GOT<\\x05>"\\n'
        until_comes 'GOT<dap'
      done`
    const { stdout } = await execa(join(root, 'bin/zsh'), ['-f', '-c', script], { cwd: folder, env })
    expect(stdout.split('\n').map(line => line.replace(/^GOT<(.*?)\s*>$/, '$1'))).toEqual([
      'dap validate',
      'dap plan --env local',
      'dap validate --format=sarif',
      'dap validate environments',
    ])
  })
})

/** Where Debian keeps libraries of its architecture. */
async function libraries(root: string): Promise<string[]> {
  const lib = join(root, 'usr/lib')
  return (await readdir(lib)).filter(name => name.includes('-linux-')).map(name => join(lib, name))
}
