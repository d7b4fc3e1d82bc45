import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../../src', import.meta.url))

/** Words of Vertex AI's API, and the labels that its adapter writes; what plans and results are written in are not among them. */
const OWN =
  /\b(endpointLabels|decodeLabels|encodeLabels|deployedModels|versionAliases|updateMask|trafficSplit|(get|running|list)Operations?|(list|upload)Models?|(list|model)Versions?)\b|['"`]dap-(project|env|seal|lock|hold|held|stable|candidate|previous|digest|traffic|scale|step|endpoint)\b/

/** Without comments: they may say what a port is for. */
const codeOf = (file: string) =>
  readFileSync(join(SRC, file), 'utf8')
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\/\/ .*/g, '')

it('what is Vertex AI’s own is known to its adapter and the emulator alone', () => {
  const knowing = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.tsx?$/.test(file) && !/^(generated|emulator|adapters\/vertex)\//.test(file))
    .filter(file => OWN.test(codeOf(file)))
  expect(knowing).toEqual(['deploy/wanted/drift.ts'])
  // The one word of them that a plan has: a field that somebody else has moved.
  const words = codeOf('deploy/wanted/drift.ts').match(new RegExp(OWN, 'g'))
  expect(new Set(words)).toEqual(new Set(['deployedModels']))
})
