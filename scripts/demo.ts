/** The main job, as a user runs it: a repository from a template, checked, simulated and judged; in a temporary folder. */
import { spawnSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/dap.js', import.meta.url))
const folder = join(await mkdtemp(join(tmpdir(), 'dap-demo-')), 'shop')

function dap(args: readonly string[], cwd?: string): void {
  process.stdout.write(`\n$ dap ${args.join(' ')}\n\n`)
  const { status, signal } = spawnSync(process.execPath, [bin, ...args], { cwd, stdio: 'inherit' })
  if (status !== 0) {
    process.stderr.write(`\nthe demo stopped: dap ${args[0]} ended with ${signal ?? status}\n`)
    process.exit(status ?? 1)
  }
}

dap(['init', folder, '--template', 'contextual-bandit'])
dap(['validate'], folder)
dap(['simulate'], folder)
dap(['evaluate'], folder)

process.stdout.write(`
That was a whole repository of decisions, in ${folder}
Next, from here:
  npx dap explain Policy.spec.algorithm
  npx dap new scenario busy-week -C ${folder}
  edit ${join(folder, 'policies', 'shop-offer.yaml')}, then
  npx dap validate -C ${folder}
`)
