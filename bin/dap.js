#!/usr/bin/env node
// Runs on any Node >= 16 far enough to say which one is needed; nothing else belongs here.
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `error: dap needs Node >= 22.12, this is ${process.versions.node}\n` +
      'hint: install a current Node (https://nodejs.org/en/download), or give the project its own by `npm install --save-dev node@24` and run dap by `npx --no-install dap`\n',
  )
  process.exitCode = 3
} else {
  module.enableCompileCache?.()
  await import('../dist/main.js')
}
