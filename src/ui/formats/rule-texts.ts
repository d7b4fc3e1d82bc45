/** What is said of rules that no schema says. Imports nothing but types: the build makes a page of it before there is anything else. */
import type { DiagnosticCode } from '../../diagnostics.ts'

/** What to do about each, whatever the fault's own hint. */
export const DIAGNOSTIC_HINTS: Readonly<Record<DiagnosticCode, string>> = {
  file: 'see that the file is there, is UTF-8 and lies in the repository; `spec.dataRoots` of dap.yaml names folders elsewhere',
  yaml: 'mend the YAML at the place that is named; an editor that knows the schema shows it, too',
  schema: '`dap explain KIND.path.to.field` says what may stand there',
  'unknown-key': 'mend the name of the key, or take it out; `dap explain KIND.path` lists those that there are',
  reference: 'mend the name, or add what it names with `dap new KIND NAME`',
  duplicate: 'take one of the two out, or give it another name',
  cel: 'mend the expression; the reference of rules says what each kind of rule may read, and of which type',
  eligibility: 'serve something that no rule excludes, or let the rule stand for less',
  semantic: 'mend what is named: each of its parts is well-formed, and together they have no meaning',
}

/** Of results, rather than of files and records. */
export const RESULT_RULES = {
  'log-empty': {
    text: 'A log has no valid decision: nothing can be learnt from it.',
    help: 'see that these are the files that a server or a simulation has written',
  },
  expectation: {
    text: 'An expectation of a Scenario does not hold of what was simulated.',
    help: 'mend the policy, or the expectation; `dap simulate NAME` shows the numbers',
  },
  gate: {
    text: 'A gate of an Evaluation does not hold of what the log says, or reads a number that was refused.',
    help: '`dap evaluate NAME` shows the numbers, and why one is refused',
  },
  'plan-blocked': {
    text: 'A plan cannot be applied as it is: evidence, drift, protection or a rule of the repository is in its way.',
    help: 'each says the command that takes it away',
  },
  'plan-rule': {
    text: 'A rule of the repository warns of what a plan changes.',
    help: '`rules/NAME.cel` says what it is for; the plan can be applied all the same',
  },
  'plan-drift': {
    text: 'Somebody else has moved what was applied.',
    help: '`--accept-drift` sets it right; or let Git say what runs',
  },
  'plan-orphan': {
    text: 'Something runs that no Deployment declares.',
    help: '`dap plan --prune` deletes it; `dap destroy NAME` does, too',
  },
  command: {
    text: 'The command came to no result.',
    help: 'do what its hint says; the exit code says of which kind it is',
  },
} as const
