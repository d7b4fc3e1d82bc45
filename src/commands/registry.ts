import type { CommandModule } from '../command.ts'

export interface CommandEntry {
  readonly name: string
  /** The name and the arguments, as `declare` has them. */
  readonly usage: string
  readonly summary: string
  load(): Promise<CommandModule<unknown, unknown>>
}

/** Every command, in the order of a first session. Only the chosen one is loaded: a cold start pays for nothing else. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    usage: 'init [dir]',
    summary: 'make a new config repository from a template',
    load: async () => (await import('./init.ts')).initCommand,
  },
  {
    name: 'new',
    usage: 'new <kind> [name]',
    summary: 'add one resource, valid at once; or dashboards and alerts (ops)',
    load: async () => (await import('./new.ts')).newCommand,
  },
  {
    name: 'validate',
    usage: 'validate [paths...]',
    summary: 'check files: schema, references, rules, meaning',
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  {
    name: 'list',
    usage: 'list [kind]',
    summary: 'show what is in the repository, and its state',
    load: async () => (await import('./list.ts')).listCommand,
  },
  {
    name: 'graph',
    usage: 'graph [name]',
    summary: 'show which resource names which, as text or mermaid',
    load: async () => (await import('./graph.ts')).graphCommand,
  },
  {
    name: 'explain',
    usage: 'explain [topic]',
    summary: 'what a kind, a field or a word means, and how it is written',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'schema',
    usage: 'schema [kind]',
    summary: "print a kind's JSON Schema",
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
  {
    name: 'simulate',
    usage: 'simulate [scenario]',
    summary: 'play policies in simulated worlds',
    load: async () => (await import('./simulate.ts')).simulateCommand,
  },
  {
    name: 'play',
    usage: 'play [scenario]',
    summary: 'send the units of a simulated world to a running server',
    load: async () => (await import('./play.ts')).playCommand,
  },
  {
    name: 'evaluate',
    usage: 'evaluate [evaluation]',
    summary: 'judge policies on logged decisions',
    load: async () => (await import('./evaluate.ts')).evaluateCommand,
  },
  {
    name: 'train',
    usage: 'train [policy]',
    summary: "learn a policy's snapshot from logged decisions",
    load: async () => (await import('./train.ts')).trainCommand,
  },
  {
    name: 'dataset export',
    usage: 'dataset export [dataset]',
    summary: 'write what a policy learns of a log, as Parquet',
    load: async () => (await import('./dataset/export.ts')).datasetExportCommand,
  },
  {
    name: 'model new',
    usage: 'model new [name]',
    summary: 'make a Model of a file of ONNX',
    load: async () => (await import('./model/new.ts')).modelNewCommand,
  },
  {
    name: 'model check',
    usage: 'model check [models...]',
    summary: 'hold Models against their files, and run their rows of parity',
    load: async () => (await import('./model/check.ts')).modelCheckCommand,
  },
  {
    name: 'model show',
    usage: 'model show [model]',
    summary: 'show what a model takes and gives, is made of, and who uses it',
    load: async () => (await import('./model/show.ts')).modelShowCommand,
  },
  {
    name: 'log check',
    usage: 'log check <paths...>',
    summary: 'prove a decision log, record by record',
    load: async () => (await import('./log/check.ts')).logCheckCommand,
  },
  {
    name: 'log stats',
    usage: 'log stats <paths...>',
    summary: 'show what a log holds, and test that it was drawn as it says',
    load: async () => (await import('./log/stats.ts')).logStatsCommand,
  },
  {
    name: 'log tail',
    usage: 'log tail [paths...]',
    summary: 'show decisions and rewards as they are logged',
    load: async () => (await import('./log/tail.ts')).logTailCommand,
  },
  {
    name: 'decide',
    usage: 'decide [policy]',
    summary: 'make one decision and explain it, or replay logged ones',
    load: async () => (await import('./decide.ts')).decideCommand,
  },
  {
    name: 'serve',
    usage: 'serve',
    summary: 'answer decisions and take rewards over HTTP',
    load: async () => (await import('./serve.ts')).serveCommand,
  },
  {
    name: 'snapshot show',
    usage: 'snapshot show <file>',
    summary: 'show what a snapshot knows',
    load: async () => (await import('./snapshot/show.ts')).snapshotShowCommand,
  },
  {
    name: 'snapshot diff',
    usage: 'snapshot diff <before> <after>',
    summary: 'show what changed from one snapshot to another',
    load: async () => (await import('./snapshot/diff.ts')).snapshotDiffCommand,
  },
  {
    name: 'bundle',
    usage: 'bundle [policy]',
    summary: 'pack a policy and its snapshot for a server',
    load: async () => (await import('./bundle.ts')).bundleCommand,
  },
  {
    name: 'plan',
    usage: 'plan',
    summary: 'compare Git with the cloud: what a deploy would do',
    load: async () => (await import('./plan.ts')).planCommand,
  },
  {
    name: 'plan show',
    usage: 'plan show <file>',
    summary: 'print a plan, as text, JSON or markdown',
    load: async () => (await import('./plan/show.ts')).planShowCommand,
  },
  {
    name: 'promote',
    usage: 'promote <deployment>',
    summary: 'write what one environment runs into the files of another',
    load: async () => (await import('./promote.ts')).promoteCommand,
  },
  {
    name: 'deploy',
    usage: 'deploy [plan]',
    summary: 'make the cloud what Git says, canary by canary',
    load: async () => (await import('./deploy.ts')).deployCommand,
  },
  {
    name: 'status',
    usage: 'status',
    summary: 'show Git, last applied and live',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'rollback',
    usage: 'rollback <deployment>',
    summary: 'move all traffic back to the version before',
    load: async () => (await import('./rollback.ts')).rollbackCommand,
  },
  {
    name: 'gc',
    usage: 'gc [deployments...]',
    summary: 'remove old versions that nothing needs',
    load: async () => (await import('./gc.ts')).gcCommand,
  },
  {
    name: 'adopt',
    usage: 'adopt <endpoint>',
    summary: 'put an endpoint that somebody else made under the care of dap',
    load: async () => (await import('./adopt.ts')).adoptCommand,
  },
  {
    name: 'destroy',
    usage: 'destroy <deployment>',
    summary: 'delete a deployment whole',
    load: async () => (await import('./destroy.ts')).destroyCommand,
  },
  {
    name: 'lock ls',
    usage: 'lock ls',
    summary: 'show who is at work on which deployment',
    load: async () => (await import('./lock/ls.ts')).lockListCommand,
  },
  {
    name: 'lock break',
    usage: 'lock break <deployment>',
    summary: 'take a lock away',
    load: async () => (await import('./lock/break.ts')).lockBreakCommand,
  },
  {
    name: 'image build',
    usage: 'image build',
    summary: "build the server's image, and print the digest to pin",
    load: async () => (await import('./image/build.ts')).imageBuildCommand,
  },
  {
    name: 'doctor',
    usage: 'doctor',
    summary: 'look for what is missing here, and say how to mend it',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'completion',
    usage: 'completion <shell>',
    summary: 'print what teaches bash, zsh or fish to complete',
    load: async () => (await import('./completion.ts')).completionCommand,
  },
  {
    name: 'emulator',
    usage: 'emulator',
    summary: 'run Vertex AI on loopback',
    load: async () => (await import('./emulator.ts')).emulatorCommand,
  },
  {
    name: 'emulator exec',
    usage: 'emulator exec <command...>',
    summary: 'run a command with an emulator of its own',
    load: async () => (await import('./emulator/exec.ts')).emulatorExecCommand,
  },
  {
    name: 'emulator fault',
    usage: 'emulator fault <what> [json]',
    summary: 'make the emulator fail as clouds do',
    load: async () => (await import('./emulator/fault.ts')).emulatorFaultCommand,
  },
]
