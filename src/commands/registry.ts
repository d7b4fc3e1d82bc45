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
    usage: 'new <kind> <name>',
    summary: 'add one resource, valid at once',
    load: async () => (await import('./new.ts')).newCommand,
  },
  {
    name: 'validate',
    usage: 'validate [paths...]',
    summary: 'check files: schema, references, rules, meaning',
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  {
    name: 'explain',
    usage: 'explain <path>',
    summary: 'document KIND or KIND.path.to.field',
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
    name: 'evaluate',
    usage: 'evaluate [evaluation]',
    summary: 'judge policies on logged decisions',
    load: async () => (await import('./evaluate.ts')).evaluateCommand,
  },
]
