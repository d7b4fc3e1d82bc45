import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder for the front of PATH, in which `dap` is the one that is installed here. */
export async function launcherFolder(data: string, bin: string): Promise<string> {
  const folder = join(data, 'bin')
  const dap = join(folder, 'dap')
  await mkdir(folder, { recursive: true })
  await writeFile(dap, `#!/bin/sh\nexec '${quoted(process.execPath)}' '${quoted(bin)}' "$@"\n`)
  await writeFile(`${dap}.cmd`, `@"${process.execPath}" "${bin}" %*\r\n`)
  await chmod(dap, 0o755)
  return folder
}

/** Inside single quotes of a shell. */
const quoted = (path: string) => path.replaceAll("'", `'\\''`)
