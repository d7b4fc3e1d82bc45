/** Formats of others as their own schemas have them: JUnit's XML by Jenkins' XSD, read by Python's xmlschema; SARIF of the built binary by OASIS's. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { junit } from '../../src/ui/formats/junit.ts'
import { anyReport, sarifFaults } from '../support/reports.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'

const DAP = join(PACKAGE_ROOT, 'bin/dap.js')
const XSD = join(PACKAGE_ROOT, 'test/golden/formats/junit-10.xsd')

const VALIDATE = `
import json, pathlib, sys, xmlschema
schema = xmlschema.XMLSchema(sys.argv[1])
faults = {}
paths = sorted(pathlib.Path(sys.argv[2]).glob("*.xml"))
for path in paths:
    faults[path.name] = [str(error.reason) for error in schema.iter_errors(str(path))]
print(json.dumps({"files": len(paths), "faults": {name: all for name, all in faults.items() if all}}))
`

it("JUnit's XML is valid by Jenkins' schema, whatever files and messages are called, and of every command", async context => {
  const python = await needs(context, () => pythonWith(new URL('python/junit.txt', import.meta.url).pathname))
  const folder = await mkdtemp(join(tmpdir(), 'dap-formats-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const samples = fc.sample(anyReport, { numRuns: 300, seed: 16 })
  for (const [i, sample] of samples.entries())
    await writeFile(join(folder, `sample-${i}.xml`), junit(sample, 'validate'))

  const shop = join(folder, 'shop')
  await execa(process.execPath, [DAP, 'init', 'shop', '--template', 'bandit'], { cwd: folder })
  const commands = [
    'validate',
    'simulate --replications 5',
    'simulate nope',
    'evaluate',
    'log check data',
    'plan --env nope',
  ]
  for (const [i, command] of commands.entries()) {
    const formats = [`--format=junit=${folder}/command-${i}.xml`, `--format=sarif=${folder}/command-${i}.sarif`]
    await execa(process.execPath, [DAP, ...command.split(' '), ...formats], { cwd: shop, reject: false })
    expect(sarifFaults(JSON.parse(await readFile(join(folder, `command-${i}.sarif`), 'utf8'))), command).toEqual([])
  }
  const { stdout } = await execa(python, ['-c', VALIDATE, XSD, folder])
  expect(JSON.parse(stdout)).toEqual({ files: samples.length + commands.length, faults: {} })
})
