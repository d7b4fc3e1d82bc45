import type { Reporter } from 'vitest/node'

/** What each test took, dearest last, and in the last line how many there were. */
export const ledger: Reporter = {
  onTestRunEnd(modules) {
    const tests = modules.flatMap(module => [...module.children.allTests()])
    const skipped = modules.flatMap(module => [...module.children.allTests('skipped')])
    for (const test of skipped) {
      const { note } = test.result() as { readonly note?: string }
      process.stdout.write(`skipped  ${test.fullName}${note === undefined ? '' : `: ${note}`}\n`)
    }
    const seconds = tests
      .filter(test => !skipped.includes(test))
      .map(test => ({ name: test.fullName, seconds: (test.diagnostic()?.duration ?? 0) / 1000 }))
    seconds.sort((a, b) => a.seconds - b.seconds)
    for (const { name, seconds: took } of seconds) process.stdout.write(`${took.toFixed(1).padStart(7)} s  ${name}\n`)
    const count = (state: string) => tests.filter(test => test.result().state === state).length
    // A file that cannot even be read has no tests, and has failed.
    const broken = modules.filter(module => !module.ok() && [...module.children.allTests('failed')].length === 0).length
    process.stdout.write(`${count('passed')} passed, ${count('failed') + broken} failed\n`)
  },
}
