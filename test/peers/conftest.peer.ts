/** Plans under Conftest, by the policy in Rego that docs/ci.md has. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it, onTestFinished } from 'vitest'
import { DEPLOYMENT, shop } from '../commands/support.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { cachedFor } from './cache.ts'
import { needs } from './needs.ts'

/** With OPA in it: two minutes to build, and 100 MB. */
const CONFTEST = 'github.com/open-policy-agent/conftest@v0.71.1'

it('a plan is judged by a policy of theirs', { timeout: 600_000 }, async context => {
  const bin = await needs(context, () =>
    cachedFor(CONFTEST, async made => void (await execa('go', ['install', CONFTEST], { env: { GOBIN: made } }))),
  )
  const folder = await mkdtemp(join(tmpdir(), 'dap-conftest-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [, policy] = /^```rego\n(.*?)^```$/ms.exec(await readFile(join(PACKAGE_ROOT, 'docs/ci.md'), 'utf8'))!
  await mkdir(join(folder, 'policy'))
  await writeFile(join(folder, 'policy/plan.rego'), policy)

  const { dap, edit } = shop()
  const judged = async () => {
    await writeFile(join(folder, 'plan.json'), (await dap('plan --json')).stdout)
    const words = ['test', 'plan.json', '--policy', 'policy', '--output', 'json']
    const { exitCode, stdout } = await execa(join(bin, 'conftest'), words, { cwd: folder, reject: false })
    const [{ failures = [] }] = JSON.parse(stdout) as [{ readonly failures?: readonly { readonly msg: string }[] }]
    return { exitCode, said: failures.map(({ msg }) => msg) }
  }
  expect(await judged()).toEqual({ exitCode: 1, said: ['offer may grow to 4 machines'] })
  edit(DEPLOYMENT, 'maxReplicas: 4', 'maxReplicas: 3')
  expect(await judged()).toEqual({ exitCode: 0, said: [] })
})
