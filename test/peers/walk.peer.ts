/** Somebody who knows nothing of the code, at a terminal of 80 columns: from `dap init` to what runs, and what every screen says. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { displayWidth } from '../../src/ui/width.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { needs } from './needs.ts'
import { openShell, type Shell } from './terminal.ts'

/** Without what differs from run to run. */
const steady = (screen: string) =>
  `\n${screen
    .replace(/\b[0-9a-f]{12,64}\b/g, 'DIGEST')
    .replace(/\b(dap-shop-offer-)[0-9a-f]{8}\b/g, '$1ID')
    .replace(/\b\d+(\.\d+)? ?(ms|s)\b/g, 'TIME')
    .replace(/dap-platform-dap-[\w.-]+\.tgz/g, 'dap.tgz')
    .replace(/@dap-platform\/dap [\d.]+/g, '@dap-platform/dap VERSION')
    .replace(/\d+\.\d MB/g, 'SIZE')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'WHEN')
    .replace(/[ \t]+$/gm, '')}\n`

describe('a walk at 80 columns', () => {
  let folder = ''
  let shell: Shell | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dap-walk-'))
    const bin = join(folder, 'bin')
    await execa('mkdir', [bin])
    await writeFile(
      join(bin, 'dap'),
      `#!/bin/sh\nexec '${process.execPath}' '${join(PACKAGE_ROOT, 'bin/dap.js')}' "$@"\n`,
    )
    await chmod(join(bin, 'dap'), 0o755)
  })
  beforeEach(async context => {
    await needs(context, () => execa('tmux', ['-V']))
    await needs(context, () => execa('curl', ['--version']))
    shell ??= await openShell(folder, join(folder, 'bin'))
  })
  afterAll(async () => {
    await shell?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** A screen; none of its lines was broken by the terminal. */
  const run = async (line: string) => {
    const screen = await shell!.run(line)
    for (const each of screen.split('\n')) expect(displayWidth(each)).toBeLessThanOrEqual(80)
    return steady(screen)
  }

  it('makes a repository', async () => {
    expect(steady(await shell!.start('dap init shop', 'esc or ctrl-c'))).toMatchInlineSnapshot(`
      "
      ▶ dap init shop
      Which template?
      ❯ bandit            which of a few offers does everybody see
        contextual-bandit which offer does this player see, given level, platform and
                          spending
        personalisation   which of 200 levels does this player see next, by what
                          levels have in common and by what is special to each
        recommendation    which five games stand in a player's row, and in which order
      ↑ ↓ to move, enter to choose, esc or ctrl-c to stop
      "
    `)
    await shell!.press(['Enter'], 'What is it called?')
    await shell!.press(['Enter'], '[y/N]')
    expect(steady(await shell!.finish(['y', 'Enter']))).toMatchInlineSnapshot(`
      "
      Which template? bandit
      What is it called? (shop) shop
        .dockerignore
        .github/workflows/dap.yaml
        .gitignore
        .pre-commit-config.yaml
        CODEOWNERS
        Dockerfile
        README.md
        data/decisions.csv                 SIZE
        datasets/last-month.yaml
        datasets/served.yaml
        deployments/local/shop-offer.yaml
        deployments/prod/shop-offer.yaml
        environments/local.yaml
        environments/prod.yaml
        evaluations/next-offer.yaml
        package-lock.json
        package.json
        policies/shop-offer.yaml
        scenarios/quiet-week.yaml
        tables/mostly-gold.csv
        vendor/README.md
        vendor/dap.tgz  SIZE
        dap.yaml
        .dap/schemas/                      9 schemas, for editors

      Write these files? [y/N] y
      shop: 32 files from the template bandit in shop

      \`package.json\` pins @dap-platform/dap VERSION as the tarball
      \`vendor/dap.tgz\`: nothing says that this dap came from a
      registry

      next:
        cd shop
        npm ci
        npx --no-install dap validate
        npx --no-install dap simulate
        npx --no-install dap evaluate
      "
    `)
    await run('cd shop')
  })

  it('makes a mistake, and mends it', async () => {
    await run("sed -i 's/type: thompson/type: thomson/' policies/shop-offer.yaml")
    expect(await run('dap validate')).toMatchInlineSnapshot(`
      "
      policies/shop-offer.yaml:18:26: error: \`type\` must be one of \`greedy\`,
      \`epsilon-greedy\`, \`softmax\`, \`squarecb\`, \`ucb\`, \`kl-ucb\`, \`thompson\`, got the
      string \`thomson\` [schema]
        17 │     learner: { type: beta, prior: { alpha: 1, beta: 1 } }
        18 │     exploration: { type: thomson }
           │                          ^^^^^^^
        hint: did you mean \`thompson\`?

      10 files checked: 1 error
      "
    `)
    expect(await run('dap simulate')).toMatchInlineSnapshot(`
      "
      policies/shop-offer.yaml:18:26: error: \`type\` must be one of \`greedy\`,
      \`epsilon-greedy\`, \`softmax\`, \`squarecb\`, \`ucb\`, \`kl-ucb\`, \`thompson\`, got the
      string \`thomson\` [schema]
        17 │     learner: { type: beta, prior: { alpha: 1, beta: 1 } }
        18 │     exploration: { type: thomson }
           │                          ^^^^^^^
        hint: did you mean \`thompson\`?

      error: \`policies/shop-offer.yaml\` has errors
      hint: dap validate policies/shop-offer.yaml
      "
    `)
    await run("sed -i 's/type: thomson/type: thompson/' policies/shop-offer.yaml")
    expect(await run('dap validate')).toMatchInlineSnapshot(`
      "
      10 files checked: all valid
      "
    `)
  })

  it('simulates and evaluates', async () => {
    expect(await run('dap simulate')).toMatchInlineSnapshot(`
      "
      quiet-week: 200 replications of 5,000 decisions, seed 7

      policy                 mean  95 % interval       regret  95 % interval      best
                           reward                                               action
      shop-offer          0.08161  [0.08096, 0.08227]   39.53  [37.86, 41.2]    84.1 %
      shop-offer-epsilon  0.08076  [0.0795, 0.08201]    44.42  [38.83, 50.01]   81.4 %
      uniform             0.04972  [0.04929, 0.05016]   199.9  [199.7, 200.2]     25 %
      no room for: 95 % interval of best action; --json has all

      difference to shop-offer  mean reward  95 % interval            regret
      shop-offer-epsilon          -0.000857  [-0.002054, +0.0003403]  +4.894
      uniform                      -0.03189  [-0.0324, -0.03138]      +160.4
      no room for: 95 % interval of regret; --json has all

      shop-offer-epsilon and shop-offer cannot be told apart by reward; about 469
      replications would, if the difference is what it seems

      passed  learns
      passed  finds-the-best
      2 expectations passed
      "
    `)
    expect(await run('dap evaluate')).toMatchInlineSnapshot(`
      "
      next-offer on last-month: 4,000 rows of 1,400 units, worth 1,068 of equal
      activity, mean reward 0.0515

      candidate          verdict  estimator    value  95 % interval             lift
      logging            ok       ips         0.0515  [0.04467, 0.05883]           0
                         ok       snips       0.0515  [0.04467, 0.05883]           0
                         ok       dm          0.0515  [0.04467, 0.05883]           0
                         ok       dr          0.0515  [0.04467, 0.05883]           0
      always-gold-small  ok       ips          0.079  [0.06805, 0.1031]      +0.0275
                         ok       snips       0.0844  [0.06805, 0.1031]      +0.0329
                         ok       dm         0.08341  [0.06592, 0.1009]     +0.03191
                         ok       dr          0.0844  [0.06802, 0.1034]      +0.0329
      mostly-gold        ok       ips         0.0726  [0.06373, 0.09197]     +0.0211
                         ok       snips      0.07631  [0.06373, 0.09197]    +0.02481
                         ok       dm         0.07605  [0.06194, 0.09017]    +0.02455
                         ok       dr         0.07686  [0.06369, 0.09219]    +0.02536
      untrained          ok       ips         0.0515  [0.04467, 0.05883]           0
                         ok       snips       0.0515  [0.04467, 0.05883]           0
                         ok       dm          0.0521  [0.0452, 0.059]     +0.0006015
                         ok       dr         0.05233  [0.04553, 0.05963]   +0.000834
      no room for: 95 % interval of lift, sample size, largest weight; --json has all

      candidate    against            estimator  difference  95 % interval
      mostly-gold  always-gold-small  dr          -0.007546  [-0.01172, -0.003841]
      untrained    always-gold-small  dr           -0.03207  [-0.04735, -0.01853]
      untrained    mostly-gold        dr           -0.02452  [-0.03568, -0.01463]
      no room for: of all pairs at once; --json has all

      gates go by bounds of lifts and differences that hold for all candidates at once
      passed  gold-is-better
      passed  no-loss-at-first
      2 gates passed
      "
    `)
  })

  it('serves, decides and plays', async () => {
    // A Node that ends puts the terminal's mode back to what it was, under the shell that has another by then: it gets no terminal.
    await run('dap serve --port 0 --drain-ms 0 < /dev/null > serving.txt 2>&1 &')
    await run(
      "until grep -qE 'http|error' serving.txt; do sleep 0.1; done; URL=$(grep -o 'http://[0-9.:]*' serving.txt | head -1)",
    )
    await run(`echo '{"policy":"shop-offer","context":{"playerId":"p1"}}' > ask.json`)
    expect(await run('curl -s $URL/v1/decide --json @ask.json | cut -c1-60')).toContain('"decisionId"')
    expect(await run('dap play --decisions 300 --seed 1 --server $URL')).toMatchInlineSnapshot(`
      "
      quiet-week: 300 decisions of shop-offer at http://127.0.0.1:PORT, seed 1
      mean reward 0.06333, 95 % interval [0.03561, 0.09105]
      actions: none 18.7 %, gold-small 29.3 %, gold-large 25 %, booster 27 %
      served by: policy 100 %
      latency: p50 TIME, p99 TIME
      "
    `)
    await shell!.run('kill $!; wait $!')
    expect(await run('dap log check logs')).toMatchInlineSnapshot(`
      "
      2 files: 301 decisions, 300 rewards

      300 joined to their decisions

      the log passes
      "
    `)
  })

  it('deploys to the emulator, and looks at what runs', { timeout: 300_000 }, async () => {
    await run('dap emulator exec -- bash --norc --noprofile')
    expect(await run('dap plan')).toMatchInlineSnapshot(`
      "
      Plan of shop for local: the emulator
      good until WHEN, digest DIGEST

      + shop-offer  create
        policy                 DIGEST
        image                  DIGEST
        resources.machineType  n2-standard-2
        resources.minReplicas  1
        resources.maxReplicas  1
        resources.targetCpu    0.6
        1. create endpoint dap-shop-offer-ID  there is none yet
        2. upload bundle dap/bundles/shop-offer-DIGEST/bundle.json
           the bucket does not have it
        3. upload a version of model dap-shop-offer-ID
           no version has this content
        4. deploy shop-offer-DIGEST without traffic  nothing is deployed yet
        5. move all traffic to shop-offer-DIGEST
           there is nothing to compare it with
        6. promote shop-offer-DIGEST  it is recorded as applied

      1 to create
      "
    `)
    await shell!.start('dap deploy', 'apply this plan? [y/N]')
    expect((await shell!.finish(['y', 'Enter'])).includes('1 applied')).toBe(true)
    expect(await run('dap status')).toMatchInlineSnapshot(`
      "
      local

         deployment  state   version                  role    traffic  replicas
      =  shop-offer  synced  shop-offer-DIGEST  stable    100 %  1 of 1
      no room for: machine; --json has all

      Everything runs as Git says: 1 deployment.
      "
    `)
    await run('exit')
  })
})
