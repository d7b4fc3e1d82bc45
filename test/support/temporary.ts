import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One folder for all temporary files of a run of the tests, which goes when the run ends, however its workers do. */
export default function temporary(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'dap-tests-'))
  process.env['TMPDIR'] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
