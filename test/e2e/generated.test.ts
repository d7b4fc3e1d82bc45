import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { execa } from 'execa'
import { load } from 'js-yaml'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startEmulatorProcess } from '../support/emulator-process.ts'
import { dapProcess } from '../support/served.ts'

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>
}

interface Step {
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
}

/** What GitHub answers to the workflow's questions; the plan that it keeps is still where the first job made it. */
const GH = `#!/bin/sh
printf '%s\\n' "$*" >> "$GH_CALLS"
case "$*" in
  */comments?--jq*) [ -z "$COMMENTED" ] || echo 7 ;;
  */pulls*) echo 0123456789abcdef ;;
  */runs*) echo 42 ;;
esac
`

/** A fresh repository on a machine that has Node, npm and GitHub's client, and no dap. */
describe('a generated repository', () => {
  let folder = ''
  let outside = ''
  beforeAll(async () => {
    outside = await mkdtemp(join(tmpdir(), 'dap-generated-'))
    folder = join(outside, 'shop')
    const { exitCode, stdout } = await dapProcess(outside, 'init', folder, '--template', 'bandit')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(
      /^`package.json` pins @dap-platform\/dap \S+ as the tarball `vendor\/dap-platform-dap-\S+\.tgz`/m,
    )
    await mkdir(join(outside, 'bin'))
    await writeFile(join(outside, 'bin', 'gh'), GH)
    await chmod(join(outside, 'bin', 'gh'), 0o755)
    return () => rm(outside, { recursive: true, force: true })
  })

  /** As a step of a workflow runs: by bash, which stops at the first command that fails. */
  const bash = (script: string, env: Readonly<Record<string, string>> = {}) =>
    execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      cwd: folder,
      reject: false,
      stdin: 'ignore',
      extendEnv: false,
      env: {
        PATH: [join(outside, 'bin'), dirname(process.execPath), '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
        ...Object.fromEntries(PASSED_ON.map(name => [name, process.env[name]])),
        ...{
          CI: 'true',
          GH_CALLS: join(outside, 'gh-calls'),
          RUNNER_TEMP: outside,
          GITHUB_STEP_SUMMARY: join(outside, 'summary.md'),
        },
        ...{ GITHUB_REPOSITORY: 'games/shop', GITHUB_SHA: '89abcdef', npm_config_prefer_offline: 'true' },
        ...env,
      },
    })

  it('runs no dap but the one that it installs', async () => {
    expect((await bash('npx --no-install dap --version', { npm_config_offline: 'true' })).exitCode).not.toBe(0)
    expect((await bash('command -v dap')).exitCode).toBe(1)
  })

  it('runs its whole workflow, line by line', async () => {
    // Production is this machine, for a while: the workflow's words stay as they are.
    await writeFile(join(folder, 'environments/prod.yaml'), LOCAL_PRODUCTION)
    const emulator = await startEmulatorProcess(folder)
    onTestFinished(() => emulator.stop())

    const { jobs } = load(await readFile(join(folder, '.github/workflows/dap.yaml'), 'utf8')) as Workflow
    const said: string[] = []
    for (const { run, env = {} } of Object.values(jobs).flatMap(({ steps }) => steps)) {
      if (run === undefined) continue
      const { exitCode, stdout, stderr } = await bash(run, {
        ...{ ...env, ...('PULL_REQUEST' in env ? { PULL_REQUEST: '12' } : {}) },
        DAP_VERTEX_ENDPOINT: `http://127.0.0.1:${emulator.port}`,
      })
      expect(exitCode, `${run}\n${stdout}\n${stderr}`).toBe(0)
      said.push(`$ ${run.trimEnd().replaceAll('\n', '\n> ')}`)
      // npm's last word is how long it took.
      if (!run.startsWith('npm ')) said.push(stdout.split('\n').at(-1) ?? '')
    }
    expect(said).toMatchInlineSnapshot(`
      [
        "$ npm ci --ignore-scripts",
        "$ npx --no-install dap validate --format github --format markdown="$GITHUB_STEP_SUMMARY" --format sarif="$RUNNER_TEMP/validate.sarif"",
        "::notice title=dap validate::10 files checked: all valid",
        "$ npx --no-install dap simulate --record --format github --format markdown="$GITHUB_STEP_SUMMARY" --format junit="$RUNNER_TEMP/simulate.xml"",
        "::notice title=dap simulate::1 scenario: 1 passed",
        "$ npx --no-install dap evaluate --record --format github --format markdown="$GITHUB_STEP_SUMMARY" --format junit="$RUNNER_TEMP/evaluate.xml"",
        "::notice title=dap evaluate::1 evaluation: 1 passed",
        "$ npm ci --ignore-scripts",
        "$ npx --no-install dap plan --env prod --out plan.json",
        "kept in plan.json: dap deploy plan.json",
        "$ npx --no-install dap plan show plan.json --format markdown > "$RUNNER_TEMP/plan.md"",
        "",
        "$ plan="$RUNNER_TEMP/plan.md"
      > [ -f "$plan" ] || exit 0
      > comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
      > mine='.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("<!-- dap plan prod -->"))) | .id'
      > id=$(gh api --paginate "$comments" --jq "$mine" | sed -n 1p)
      > if [ -n "$id" ]; then
      >   gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@"$plan"
      > else
      >   gh api --silent --method POST "$comments" --field body=@"$plan"
      > fi",
        "",
        "$ head=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].head.sha // empty')
      > runs="repos/$GITHUB_REPOSITORY/actions/workflows/dap.yaml/runs?event=pull_request&status=success&head_sha=\${head:?no pull request}"
      > run=$(gh api "$runs" --jq '[.workflow_runs[] | select(.head_repository.full_name == env.GITHUB_REPOSITORY)][0].id // empty')
      > gh run download "\${run:?no plan was approved}" --repo "$GITHUB_REPOSITORY" --name plan --dir approved",
        "",
        "$ npm ci --ignore-scripts",
        "$ npx --no-install dap deploy plan.json --yes --json-file "$RUNNER_TEMP/deploy.ndjson"",
        "1 applied",
      ]
    `)
    const { run: comment = '' } = jobs['comment'].steps.find(({ run }) => run !== undefined)!
    expect(await bash(comment, { PULL_REQUEST: '12', COMMENTED: 'yes' })).toMatchObject({ exitCode: 0, stdout: '' })
    const calls = await readFile(join(outside, 'gh-calls'), 'utf8')
    const writes = calls.split('\n').filter(call => call.includes('--method'))
    expect(writes).toEqual([
      `api --silent --method POST repos/games/shop/issues/12/comments --field body=@${outside}/plan.md`,
      `api --silent --method PATCH repos/games/shop/issues/comments/7 --field body=@${outside}/plan.md`,
    ])
    expect(calls).toContain('run download 42 --repo games/shop --name plan')
    expect(await readFile(join(outside, 'plan.md'), 'utf8')).toContain('shop-offer')
  })

  it('has the lock file that npm would write itself', async () => {
    const lock = await readFile(join(folder, 'package-lock.json'), 'utf8')
    expect(await bash('npm install --ignore-scripts')).toMatchObject({ exitCode: 0 })
    expect(await readFile(join(folder, 'package-lock.json'), 'utf8')).toBe(lock)
  })
})

/** What npm reads of this machine's settings, and where temporary files go. */
const PASSED_ON = ['HOME', 'TMPDIR', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']

const LOCAL_PRODUCTION = `apiVersion: dap/v1
kind: Environment
metadata: { name: prod }
spec: { target: emulator }
`
