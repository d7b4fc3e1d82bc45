import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { examplePolicy } from '../test/support/policies.ts'
import { inTurn, median, runNode, verdict } from './measure.ts'

const dap = fileURLToPath(new URL('../bin/dap.js', import.meta.url))
const PROJECT = 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: bench }\nspec: { folders: [policies] }\n'

/** `dap validate` of repositories of 100, 1,000 and 4,000 policies, a file each. */
export async function bench(): Promise<void> {
  const sizes = [100, 1000, 4000]
  const folders = await Promise.all(sizes.map(repository))
  const results = await inTurn(
    5,
    folders.map(cwd => () => runNode([dap, 'validate'], { cwd })),
  )
  for (const [i, size] of sizes.entries()) {
    const seconds = median(results[i].map(run => run.seconds))
    const memory = median(results[i].map(run => run.megabytes))
    const budget = size === 1000 ? ` (budget 1.5 s: ${verdict(seconds <= 1.5)})` : ''
    console.log(`${size} policies: ${seconds.toFixed(2)} s, ${memory.toFixed(0)} MB at the peak${budget}`)
  }
}

async function repository(policies: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  await mkdir(join(folder, 'policies'))
  await writeFile(join(folder, 'dap.yaml'), PROJECT)
  for (let i = 0; i < policies; i++) await writeFile(join(folder, 'policies', `policy-${i}.yaml`), examplePolicy(i))
  return folder
}
