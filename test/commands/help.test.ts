import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { TASKS } from '../../src/commands/help.ts'
import { COMMANDS } from '../../src/commands/registry.ts'
import { displayWidth } from '../../src/ui/width.ts'
import { expectPublished } from '../support/published.ts'
import { dap, repository } from '../support/run-dap.ts'

const NAMES = COMMANDS.map(({ name }) => name)

/** As a shell splits it. */
const wordsOf = (line: string) => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare)

async function declared(name: string): Promise<Command> {
  const command = new Command(name)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({ writeErr: () => {} })
  const { load } = COMMANDS.find(each => each.name === name)!
  ;(await load()).declare(command)
  return command
    .option('--json')
    .option('--format <format>')
    .option('--json-file <path>')
    .option('-C, --directory <dir>')
    .option('--no-color')
}

const tooWide = (text: string, columns: number) => text.split('\n').filter(line => displayWidth(line) > columns)

describe('dap --help', () => {
  it('has every command in one task, and nothing else', () => {
    const listed = TASKS.flatMap(({ examples }) => Object.keys(examples))
    expect(listed.toSorted()).toEqual(NAMES.toSorted())
  })

  it('stands within 80 columns', async () => {
    const { code, stdout } = await dap('--help')
    expect({ code, wide: tooWide(stdout, 80) }).toEqual({ code: 0, wide: [] })
    expect(stdout).toMatchInlineSnapshot(`
      "dap 0.0.0-test: decisions as code, from YAML to a number that can be trusted

      usage: dap COMMAND [options]

      make a repository, and what is in it
        init              make a new config repository from a template
        new               add one resource, valid at once; or dashboards and alerts
                          (ops)
        model new         make a Model of a file of ONNX
        completion        print what teaches bash, zsh or fish to complete
        explain           what a kind, a field or a word means, and how it is written
        schema            print a kind's JSON Schema

      check it
        validate          check files: schema, references, rules, meaning
        list              show what is in the repository, and its state
        model check       hold Models against their files, and run their rows of
                          parity
        model show        show what a model takes and gives, is made of, and who uses
                          it
        doctor            look for what is missing here, and say how to mend it
        graph             show which resource names which, as text or mermaid
        simulate          play policies in simulated worlds

      learn, and judge what was learnt
        evaluate          judge policies on logged decisions
        train             learn a policy's snapshot from logged decisions
        dataset export    write what a policy learns of a log, as Parquet
        log check         prove a decision log, record by record
        log tail          show decisions and rewards as they are logged
        log stats         show what a log holds, and test that it was drawn as it says
        snapshot show     show what a snapshot knows
        snapshot diff     show what changed from one snapshot to another

      run it here
        decide            make one decision and explain it, or replay logged ones
        serve             answer decisions and take rewards over HTTP
        play              send the units of a simulated world to a running server
        bundle            pack a policy and its snapshot for a server
        emulator          run Vertex AI on loopback
        emulator exec     run a command with an emulator of its own
        emulator fault    make the emulator fail as clouds do

      deploy it
        plan              compare Git with the cloud: what a deploy would do
        plan show         print a plan, as text, JSON or markdown
        promote           write what one environment runs into the files of another
        deploy            make the cloud what Git says, canary by canary
        rollback          move all traffic back to the version before
        image build       build the server's image, and print the digest to pin

      operate what runs
        status            show Git, last applied and live
        gc                remove old versions that nothing needs
        adopt             put an endpoint that somebody else made under the care of
                          dap
        destroy           delete a deployment whole
        lock ls           show who is at work on which deployment
        lock break        take a lock away

      options of every command
        --json            print the result as JSON, an error too
        --json-file PATH  write events and the result to a file, a JSON value a line
        -C DIR            run as if started in DIR
        --no-color        print without colours
        -h, --help        what the command does and takes, with examples

      exit codes: 0 done, 1 the answer is no, 2 changes or drift (only with
        --exit-code), 3 usage, 4 a stale plan or a lock, 5 the cloud said no, 6
        stopped part-way, 70 a bug in dap, 130 interrupted

      \`dap explain\` lists kinds and topics: what can be written, and what words mean
      "
    `)
  })

  it.each(NAMES)('of %s stands within 80 columns, and within 40 on a narrow terminal', async name => {
    const { code, stdout } = await dap(`${name} --help`)
    expect({ code, wide: tooWide(stdout, 80) }).toEqual({ code: 0, wide: [] })
    expect(stdout).toContain('\nExamples:\n')
    const narrow = await repository({}).dap(`${name} --help`, { columns: 40 })
    expect(tooWide(narrow.stdout, 40).filter(line => line.trim().includes(' '))).toEqual([])
  })

  it('shows one command with its examples', async () => {
    expect((await dap('log check --help')).stdout).toMatchInlineSnapshot(`
      "Usage: dap log check [options] <paths...>

      prove a decision log, record by record

      Arguments:
        paths                     files, and folders whose \`.jsonl\` and \`.ndjson\`
                                  files are read, also with \`.gz\` or \`.zst\`

      Options:
        --json                    print the result as JSON: short for --format json
        --format <format[=file]>  text, json, sarif, junit, github or markdown, to
                                  stdout or to a file; may be said several times
        --json-file <path>        write events and the result to a file, a JSON value
                                  a line
        -C, --directory <dir>     run as if started in this folder
        --no-color                print without colours
        -h, --help                show this help

      Examples:
        dap log check logs  is every record of the log right?

      Every record is checked, and nothing is believed: its shape, that the logged
      probabilities are what the action was drawn from, that the draw recomputes, that
      rewards find their decisions. Inside a repository, decisions of its policies as
      they are now are also checked against them.

      exit codes: 0 no errors (warnings allowed), 1 errors or no valid decision, 3
        usage
      "
    `)
  })
})

describe('an example', () => {
  it.each(
    TASKS.flatMap(({ examples }) =>
      Object.entries(examples).flatMap(([name, all]) => all.map(({ line }) => [line, name])),
    ),
  )('is a line that its command takes: dap %s', async (line, name) => {
    const words = wordsOf(line)
    const own = name.split(' ')
    expect(words.slice(0, own.length)).toEqual(own)
    const command = await declared(name)
    expect(() => command.parse(words.slice(own.length), { from: 'user' })).not.toThrow()
  })
})

describe('dap help', () => {
  it('knows commands, their first words, tasks and topics', async () => {
    expect((await dap('help log check')).stdout).toBe((await dap('log check --help')).stdout)
    expect((await dap('help log')).stdout).toMatchInlineSnapshot(`
      "dap log
        log check         prove a decision log, record by record
        log stats         show what a log holds, and test that it was drawn as it says
        log tail          show decisions and rewards as they are logged
      "
    `)
    expect((await dap('log --help')).stdout).toBe((await dap('help log')).stdout)
    expect((await dap('help ship')).stdout).toContain('  rollback')
    expect((await dap('help linucb')).stdout).toBe((await dap('explain linucb')).stdout)
    expect((await dap('help Policy')).stdout).toBe((await dap('explain Policy')).stdout)
  })

  it('guesses', async () => {
    expect(await dap('help evalute')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('did you mean `evaluate`?'),
    })
    expect(await dap('help durration')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('did you mean `durations`?'),
    })
  })
})

describe('a mistyped option', () => {
  it.each(NAMES)('of %s is guessed, whichever two letters are swapped', async name => {
    const command = await declared(name)
    const known = command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long]))
    for (const long of known) {
      for (const at of [3, long.length - 2]) {
        const wrong = `${long.slice(0, at)}${long[at + 1] ?? ''}${long[at]}${long.slice(at + 2)}`
        if (wrong === long || known.includes(wrong) || long.length < 6) continue
        const { code, stderr } = await dap(`${name} ${wrong}`)
        expect({ wrong, code, stderr }).toEqual({
          wrong,
          code: 3,
          stderr: expect.stringContaining(`did you mean \`${long}\`?`),
        })
      }
    }
  })

  it('is guessed where there is no command', async () => {
    expect((await dap('--jsno')).stderr).toBe('error: unknown option `--jsno`\nhint: did you mean `--json`?\n')
  })

  it.each([
    ['serve --fsync alwys', 'always'],
    ['serve --ack writen', 'written'],
    ['serve --compress gzp', 'gzip'],
    ['train x --weights inverse-propensty', 'inverse-propensity'],
    ['image build --builder dcoker', 'docker'],
    ['emulator fault lst', 'list'],
    ['init --template bandti', 'bandit'],
    ['schema polcy', 'Policy'],
    ['explain Polcy', 'Policy'],
    ['explain linucv', 'linucb'],
  ])('so is a value: dap %s', async (line, meant) => {
    expect(await dap(line)).toMatchObject({ code: 3, stderr: expect.stringContaining(`did you mean \`${meant}\`?`) })
  })
})

describe('explain', () => {
  it('alone lists kinds and topics', async () => {
    expect((await dap('explain')).stdout).toMatchInlineSnapshot(`
      "kinds of files:
        Project                    A config repository: \`dap.yaml\` at its root.
        Environment                Where things are deployed: a local emulator, or a region of a cloud
                                   project.
        ActionSet                  Actions in a file: levels, offers, items of a catalogue, with what is
                                   known of each.
        Model                      A model that scores actions: a file that ONNX Runtime runs, or one that
                                   a server has.
        Policy                     A decision: its context, its actions, and the rule that chooses among
                                   them.
        Scenario                   A simulated world, the policies to play in it, and what must hold.
        Dataset                    Where logged decisions are, their format, their mapping and their
                                   quality rules.
        Evaluation                 What candidates would have earned on logged decisions: dataset ×
                                   candidates × estimators, and gates.
        Deployment                 A policy and its snapshot on one environment: resources, rollout and
                                   required evidence.

      topics:
        algorithms                 What is learnt, and how values become probabilities.
        learners                   What is learnt: the value of an action in a context, with its
                                   uncertainty.
        explorations               How values become probabilities; absent for the learners \`fixed\` and
                                   \`uniform\`, which are probabilities already.
        forgetting                 Older rewards count less: half as much for every half-life before the
                                   end of the data, or \`--until\`.
        guardrails                 What holds whatever the algorithm says.
        rewards                    What comes back.
        worlds                     What answers an action with a reward.
        distributions              Field → what its values are drawn from.
        estimators                 How values are estimated.
        intervals                  How intervals are computed.
        gates                      What must hold of the result: CEL over \`candidate(name)\` and its
                                   \`.estimate(name)\`.
        expectations               What must hold of the result: CEL over \`policy(name)\` and
                                   \`difference(name)\`.
        rollouts                   How traffic moves to what is new.
        durations                  A whole number and a unit, of ms, s, m, h, d.
        cel                        Rules are written in a part of CEL.
        ctx                        The context of a decision, checked and with its defaults, as rules and
                                   features of a policy read it: by the type of the field.
        policy()                   A policy that a scenario plays, in expectations.
        difference()               In expectations a policy against the first of its scenario; in gates a
                                   candidate against another, with \`.estimate(ESTIMATOR)\`.
        candidate()                A candidate of an evaluation, in gates; \`.estimate(ESTIMATOR)\` is what
                                   one estimator says of it.
        epsilon-greedy             ε-greedy (Sutton, Barto 1998) is \`mean\` × \`epsilon-greedy\`.
        softmax                    Boltzmann exploration (Sutton, Barto 1998) is \`mean\` × \`softmax\`.
        ucb                        UCB1 (Auer, Cesa-Bianchi, Fischer 2002) is \`mean\` × \`ucb\`.
        kl-ucb                     KL-UCB (Garivier, Cappé 2011) is \`mean\` × \`kl-ucb\`.
        gaussian-thompson          Gaussian Thompson sampling (Agrawal, Goyal 2013) is \`mean\` ×
                                   \`thompson\`.
        thompson                   Beta-Bernoulli Thompson sampling (Thompson 1933) is \`beta\` ×
                                   \`thompson\`.
        linucb                     LinUCB (Li, Chu, Langford, Schapire 2010) is \`linear\` × \`ucb\`.
        lints                      LinTS (Agrawal, Goyal 2013) is \`linear\` × \`thompson\`.
        context-free-squarecb      SquareCB without a context (Foster, Rakhlin 2020) is \`mean\` ×
                                   \`squarecb\`.
        squarecb                   SquareCB (Foster, Rakhlin 2020) is \`linear\` × \`squarecb\`.
        logistic-squarecb          SquareCB on logistic models (Foster, Rakhlin 2020) is \`logistic\` ×
                                   \`squarecb\`.
        logistic-ucb               logistic UCB (Faury, Abeille, Calauzènes, Fercoq 2020) is \`logistic\` ×
                                   \`ucb\`.
        logistic-thompson          Laplace Thompson sampling (Russo, Van Roy, Kazerouni, Osband, Wen 2018)
                                   is \`logistic\` × \`thompson\`.
        logistic-greedy            \`logistic-greedy\` is \`logistic\` × \`greedy\`.
        logistic-epsilon-greedy    \`logistic-epsilon-greedy\` is \`logistic\` × \`epsilon-greedy\`.
        hashed-squarecb            SquareCB on a logistic model (Foster, Rakhlin 2020) is \`hashed\` ×
                                   \`squarecb\`.
        hashed-thompson            logistic Thompson sampling (Chapelle, Li 2011) is \`hashed\` ×
                                   \`thompson\`.
        lingreedy                  LinGreedy is \`linear\` × \`greedy\`.
        contextual-epsilon-greedy  \`contextual-epsilon-greedy\` is \`linear\` × \`epsilon-greedy\`.
        hybrid-linucb              hybrid LinUCB (Li, Chu, Langford, Schapire 2010) is \`hybrid\` × \`ucb\`.
        hybrid-lints               \`hybrid-lints\` is \`hybrid\` × \`thompson\`.
        hybrid-squarecb            \`hybrid-squarecb\` is \`hybrid\` × \`squarecb\`.
        hybrid-lingreedy           \`hybrid-lingreedy\` is \`hybrid\` × \`greedy\`.
        hybrid-epsilon-greedy      \`hybrid-epsilon-greedy\` is \`hybrid\` × \`epsilon-greedy\`.
        uniform                    The learner \`uniform\`: Every eligible action alike; nothing is learnt.
        fixed                      The learner \`fixed\`: Probabilities from the file; nothing is learnt.

      \`dap explain KIND.path.to.field\` says what a field means, and \`dap explain TOPIC\` more of a topic.
      "
    `)
    expectPublished('topics-result', JSON.parse((await dap('explain --json')).stdout))
  })

  it('knows the names of the field, however they are written', async () => {
    expect((await dap('explain LinUCB')).stdout).toMatchInlineSnapshot(`
      "linucb

      LinUCB (Li, Chu, Langford, Schapire 2010) is \`linear\` × \`ucb\`. The learner \`linear\`: Ridge
      regression on features: of the context, per action, or of contexts and actions, shared by all
      actions. The exploration \`ucb\`: The action of the highest upper confidence bound: UCB1 over \`mean\`,
      LinUCB over \`linear\` and \`hybrid\`.

        algorithm:
          learner: { type: linear }
          exploration: { type: ucb }

      more:
        dap explain Policy.spec.algorithm.learner.linear
        dap explain Policy.spec.algorithm.exploration.ucb
        dap explain algorithms
      "
    `)
    for (const word of ['lin_ucb', 'linucb', 'Lin-UCB']) {
      expect(JSON.parse((await dap(`explain ${word} --json`)).stdout)).toMatchObject({
        example: 'algorithm:\n  learner: { type: linear }\n  exploration: { type: ucb }',
      })
    }
  })

  it('knows durations, the rule language and what it reads', async () => {
    expect((await dap('explain duration')).stdout).toMatchInlineSnapshot(`
      "durations

      A whole number and a unit, of ms, s, m, h, d. There is no blank between them, and no sum of two.

        wait: 72h

      more:
        dap explain Model.spec.timeout
        dap explain Model.spec.cache.ttl
        dap explain Policy.spec.algorithm.learner.discount.halfLife
        dap explain Policy.spec.algorithm.learner.window
        dap explain Policy.spec.reward.wait
        dap explain Policy.spec.scorer.timeout
        dap explain Policy.spec.scorer.cache.ttl
        dap explain Scenario.spec.every
        dap explain Dataset.spec.reward.wait
        dap explain Deployment.spec.rollout.steps.hold
        dap explain Deployment.spec.rollout.gates.max
        dap explain Deployment.spec.rollout.rollbackWindow
        dap explain Deployment.spec.evidence.maxAge
      "
    `)
    expect((await dap('explain candidate')).stdout).toMatchInlineSnapshot(`
      "candidate()

      A candidate of an evaluation, in gates; \`.estimate(ESTIMATOR)\` is what one estimator says of it.

        candidate('new').estimate('dr').lift.lower >= -0.001

      Candidate:
        name                 string
        verdict              string
        learntFrom           string
        support              Support
        slots                list<SlotSupport>
        metrics              list<MetricResult>

      Estimate:
        estimator            string
        verdict              string
        support              Support
        value                double
        standardError        double
        interval             Interval
        lift                 Lift

      Support:
        effectiveSampleSize  double
        maxWeight            double
        maxWeightShare       double
        meanWeight           double
        positiveCount        double
        rowsWithoutSupport   double
        unsupportedMass      double
        rows                 double

      SlotSupport:
        slot                 double
        effectiveSampleSize  double
        maxWeight            double
        meanWeight           double

      MetricResult:
        metric               string
        value                double
        standardError        double
        interval             Interval

      Interval:
        method               string
        level                double
        lower                double
        upper                double

      Lift:
        value                double
        lower                double
        upper                double
        relative             double

      more:
        dap explain Evaluation.spec.gates
        dap explain cel
      "
    `)
    expect((await dap('explain cel')).stdout).toContain('policy()')
    expect((await dap('explain worlds')).stdout).toBe((await dap('explain Scenario.spec.world')).stdout)
  })
})
