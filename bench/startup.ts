import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examplePolicy } from '../test/support/policies.ts'
import { inTurn, median, runNode, verdict } from './measure.ts'

const dap = fileURLToPath(new URL('../bin/dap.js', import.meta.url))

/** Cold starts as whole processes, against the least that Node can do. */
export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  await writeFile(join(folder, 'policy.yaml'), examplePolicy(1))
  const [node, version, validate] = await inTurn(25, [
    () => runNode(['-e', '0']),
    () => runNode([dap, '--version']),
    () => runNode([dap, 'validate', 'policy.yaml'], { cwd: folder }),
  ])
  const base = median(node.map(run => run.seconds))
  console.log(`node -e 0: ${(base * 1000).toFixed(1)} ms`)
  for (const [name, runs, budget] of [
    ['dap --version', version, 1.5],
    ['dap validate, one file', validate, 3],
  ] as const) {
    const ratios = runs.map((run, i) => run.seconds / node[i].seconds)
    const ratio = median(ratios)
    const ms = (median(runs.map(run => run.seconds)) * 1000).toFixed(1)
    console.log(`${name}: ${ms} ms, ${ratio.toFixed(2)} × node -e 0 (budget ${budget} ×: ${verdict(ratio <= budget)})`)
  }
}
