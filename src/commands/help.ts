/** What commands are for and how they are called: `dap --help`, `dap COMMAND --help`, `dap help TASK`. */

import { displayWidth } from '../ui/width.ts'
import { wrap } from '../ui/wrap.ts'

interface Example {
  /** As it is typed, behind `dap `. */
  readonly line: string
  readonly does: string
}

interface Task {
  /** The word by which `dap help` knows it. */
  readonly name: string
  readonly title: string
  /** By the command's name, in the order of a first session. */
  readonly examples: Readonly<Record<string, readonly Example[]>>
}

const by = (line: string, does: string): Example => ({ line, does })

/** Every command, by what somebody wants to do. Each has an example, which a test parses. */
export const TASKS: readonly Task[] = [
  {
    name: 'make',
    title: 'make a repository, and what is in it',
    examples: {
      init: [
        by('init shop --template bandit', 'a repository in shop/'),
        by('init --template bandit --dry-run', 'what it would make here'),
      ],
      new: [
        by('new policy home-order', 'policies/home-order.yaml, to be edited'),
        by('new ops', 'dashboard and alerts'),
      ],
      'model new': [by('model new offer-ctr --from models/ctr.onnx', 'models/offer-ctr.yaml, with what the file says')],
      completion: [by('completion bash', 'names at the press of a key, in bash, zsh or fish')],
      explain: [
        by('explain Policy.spec.algorithm', 'a field, and what may stand there'),
        by('explain linucb', 'how an algorithm of that name is written'),
      ],
      schema: [by('schema policy', 'the JSON Schema of a kind'), by('schema --out .dap/schemas', 'of all kinds')],
    },
  },
  {
    name: 'check',
    title: 'check it',
    examples: {
      validate: [
        by('validate', 'every file of the repository'),
        by('validate policies/shop-offer.yaml', 'of one file what is wrong with it'),
      ],
      list: [by('list', 'what is here, and its state'), by('list deployments', 'of one kind')],
      'model check': [by('model check', 'is each model what it says, and does it give what it gave?')],
      'model show': [by('model show offer-ctr', 'inputs, outputs and operators of its file')],
      doctor: [by('doctor', 'what is missing on this machine, and how to mend it')],
      graph: [
        by('graph shop-offer', 'what it needs, and what needs it'),
        by('graph --mermaid', 'all of it, for a page that draws mermaid'),
      ],
      simulate: [
        by('simulate', 'the only scenario there is'),
        by('simulate quiet-week --replications 50 --seed 1', 'fewer replications, other chance'),
      ],
    },
  },
  {
    name: 'learn',
    title: 'learn, and judge what was learnt',
    examples: {
      evaluate: [
        by('evaluate', 'the only evaluation there is'),
        by('evaluate next-offer --record', 'and keep the result, as evidence for a deployment'),
      ],
      train: [by('train shop-offer --dataset served', 'snapshots/shop-offer.json, from a log')],
      'dataset export': [by('dataset export served --features --out served.parquet', 'for numpy, pandas and others')],
      'log check': [by('log check logs', 'is every record of the log right?')],
      'log tail': [by('log tail logs', 'decisions and rewards, as they are logged')],
      'log stats': [by('log stats logs', 'was it drawn as it says?')],
      'snapshot show': [by('snapshot show snapshots/shop-offer.json', 'what a policy has learnt')],
      'snapshot diff': [by('snapshot diff before.json after.json', 'what was learnt since')],
    },
  },
  {
    name: 'run',
    title: 'run it here',
    examples: {
      decide: [
        by(`decide shop-offer --context '{"level":30}' --explain`, 'one decision, and why'),
        by('decide --replay logs', 'logged decisions once more, bit for bit'),
      ],
      serve: [
        by('serve', 'all policies, on port 8080'),
        by('serve --port 9000 --learn', 'on another port, learning from rewards'),
      ],
      play: [by('play --decisions 1000 --seed 1', 'ask the server, as a simulated world would')],
      bundle: [by('bundle shop-offer', 'what a container loads')],
      emulator: [by('emulator', 'Vertex AI on this machine, until Ctrl-C')],
      'emulator exec': [by('emulator exec -- dap deploy --yes', 'with an emulator of its own')],
      'emulator fault': [
        by('emulator fault list', 'the faults that wait'),
        by(`emulator fault add '{"on":"DeployModel","fault":"readiness"}'`, 'the next one never gets ready'),
      ],
    },
  },
  {
    name: 'ship',
    title: 'deploy it',
    examples: {
      plan: [
        by('plan --env local', 'what a deploy would do'),
        by('plan --env prod --out plan.json', 'and keep it, to be deployed as it is'),
      ],
      'plan show': [by('plan show plan.json --format markdown', 'as the comment of a pull request')],
      promote: [
        by('promote shop-offer --from staging --to prod', 'what one environment runs, in the files of another'),
      ],
      deploy: [
        by('deploy --env local --yes', 'make it what Git says, without a question'),
        by('deploy plan.json', 'this very plan, or nothing'),
      ],
      rollback: [by('rollback shop-offer --env local', 'all traffic to the version before')],
      'image build': [by('image build --env prod --push', "the server's image, and its digest")],
    },
  },
  {
    name: 'operate',
    title: 'operate what runs',
    examples: {
      status: [by('status --env local', 'what runs, and whether Git says so')],
      gc: [by('gc --env local', 'remove old versions that nothing needs')],
      adopt: [by('adopt 1234567890 --name shop-offer', 'an endpoint that somebody else made')],
      destroy: [by('destroy shop-offer --env local', 'delete a deployment whole')],
      'lock ls': [by('lock ls --env prod', 'who is at work on what')],
      'lock break': [by('lock break shop-offer --env prod', 'of a run that is known to be dead')],
    },
  },
]

interface Named {
  readonly name: string
  readonly summary: string
}

const examplesOf = (name: string): readonly Example[] =>
  TASKS.flatMap(({ examples }) => (Object.hasOwn(examples, name) ? examples[name] : []))

/** All commands by task. */
export function overviewText(version: string, commands: readonly Named[], columns: number): string {
  const rest = commands.filter(({ name }) => examplesOf(name).length === 0)
  const parts = [
    wrap(`dap ${version}: decisions as code, from YAML to a number that can be trusted`, columns, '  '),
    'usage: dap COMMAND [options]',
    ...TASKS.map(task => taskText(task, commands, columns)),
    ...(rest.length === 0 ? [] : [`more\n${listText(rest, columns)}`]),
    `options of every command\n${pairsText(
      [
        ['--json', 'print the result as JSON, an error too'],
        ['--json-file PATH', 'write events and the result to a file, a JSON value a line'],
        ['-C DIR', 'run as if started in DIR'],
        ['--no-color', 'print without colours'],
        ['-h, --help', 'what the command does and takes, with examples'],
      ],
      columns,
    )}`,
    wrap(
      'exit codes: 0 done, 1 the answer is no, 2 changes or drift (only with --exit-code), 3 usage, 4 a stale plan or a lock, 5 the cloud said no, 6 stopped part-way, 70 a bug in dap, 130 interrupted',
      columns,
      '  ',
    ),
    wrap('`dap explain` lists kinds and topics: what can be written, and what words mean', columns, '  '),
  ]
  return `${parts.join('\n\n')}\n`
}

/** Commands of one task, or those of one first word. */
export function listedText(word: string, commands: readonly Named[], columns: number): string | undefined {
  const task = TASKS.find(({ name }) => name === word)
  if (task !== undefined) return `${taskText(task, commands, columns)}\n`
  const group = commands.filter(({ name }) => name.startsWith(`${word} `))
  const own = commands.filter(({ name }) => name === word)
  return group.length === 0 ? undefined : `dap ${word}\n${listText([...own, ...group], columns)}\n`
}

/** What `dap explain` knows; loads all schemas. */
export async function topics() {
  const { isTopic, topicNames } = await import('../repo/topics.ts')
  return { isTopic, topicNames }
}

const taskText = ({ title, examples }: Task, commands: readonly Named[], columns: number) =>
  `${title}\n${listText(
    Object.keys(examples).flatMap(name => commands.filter(command => command.name === name)),
    columns,
  )}`

const listText = (commands: readonly Named[], columns: number) =>
  pairsText(
    commands.map(({ name, summary }) => [name, summary]),
    columns,
  )

/** Side by side, one below the other where that is too narrow. */
function pairsText(pairs: readonly (readonly [name: string, text: string])[], columns: number): string {
  const width = Math.max(16, ...pairs.map(([name]) => displayWidth(name)))
  const indent = ' '.repeat(width + 4)
  if (columns - indent.length < 20)
    return pairs.map(([name, text]) => `  ${name}\n    ${wrap(text, columns, '    ')}`).join('\n')
  return pairs.map(([name, text]) => `  ${name.padEnd(width)}  ${wrap(text, columns, indent)}`).join('\n')
}

/** What stands below the options of a command: how it is called, what there is to know. `notes` is the command's own, broken at any width. */
export function belowOptions(name: string, notes: string, columns: number): string {
  const examples = examplesOf(name).map(({ line, does }) => [`dap ${line}`, does] as const)
  const width = Math.max(0, ...examples.map(([line]) => displayWidth(line)))
  const fits = examples.every(([, does]) => width + does.length + 4 <= columns)
  const shown = examples.map(([line, does]) => (fits ? `  ${line.padEnd(width)}  ${does}` : `  ${line}\n      ${does}`))
  const paragraphs = notes
    .trim()
    .split(/\n\n+/)
    .filter(paragraph => paragraph !== '')
    .map(paragraph =>
      /^ /.test(paragraph)
        ? paragraph
        : wrap(paragraph.replace(/\s*\n\s*/g, ' '), columns, HANGING.test(paragraph) ? '  ' : ''),
    )
  return [...(shown.length === 0 ? [] : [`Examples:\n${shown.join('\n')}`]), ...paragraphs]
    .map(part => `\n${part}\n`)
    .join('')
}

const HANGING = /^exit codes:/
