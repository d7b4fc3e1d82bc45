import { relative, resolve } from 'node:path'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { createLocator } from '../../repo/locate.ts'
import { parseYaml } from '../../repo/yaml.ts'
import { readTokens, type TokenSource, type TokenTable } from '../../serve/door/tokens.ts'
import type { Tell } from '../../serve/events.ts'
import { follow } from '../../serve/follow.ts'

const MAX_BYTES = 1 << 20

/** The tokens of a file, YAML or JSON, as it is now. A DapError where the file cannot be read at the start. */
export async function followTokens(
  host: Host,
  path: string,
  pollMs: number,
  tell: Tell,
): Promise<TokenSource & { readonly stop: () => void }> {
  const place = resolve(host.cwd, path)
  let table: TokenTable
  const stop = await follow(
    {
      stamp: () => host.files.stamp(place),
      async take() {
        table = tokensOf(await host.files.read(place, MAX_BYTES), relative(host.cwd, place))
      },
    },
    pollMs,
    fault => {
      if (fault === undefined) tell('info', 'tokens', { tokens: table.size })
      else
        tell('error', 'tokens failed', {
          reason: fault.message,
          hint: fault instanceof DapError ? fault.hint : undefined,
        })
    },
  )
  return {
    get table() {
      return table
    },
    stop,
  }
}

/** Says where a fault is, and never what is there: it may be a token. */
function tokensOf(text: string, file: string): TokenTable {
  const { documents, faults, trees } = parseYaml(text)
  const locator = createLocator(text, trees)
  const at = ({ line, column }: { readonly line: number; readonly column: number }) => `${file}:${line}:${column}`
  if (faults.length > 0) {
    const [fault] = faults
    const message = fault.message.replace(/`[^`]*`|"[^"]*"|'[^']*'/g, '…')
    throw new DapError(`${at(locator.span(fault))}: ${message}`, { hint: SHAPE })
  }
  if (documents.length !== 1) {
    throw new DapError(`${file}:1:1: the file must have one document, with \`tokens\``, { hint: SHAPE })
  }
  const [{ index, value }] = documents
  const read = readTokens(value)
  if ('table' in read) return read.table
  const lines = read.faults
    .slice(0, MAX_SHOWN)
    .map(fault => `${at(locator.fault(index, { code: 'schema', ...fault }))}: ${fault.message}`)
  throw new DapError(lines.join('\n'), { hint: read.faults[0].hint ?? SHAPE })
}

const MAX_SHOWN = 10

const SHAPE = 'docs/server.md has an example'
