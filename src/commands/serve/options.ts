import type { Command } from 'commander'
import { UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { milliseconds } from '../../policy/duration.ts'
import type { ClientLimits } from '../../serve/door/client-limits.ts'
import { DEFAULT_LIMITS, PREDICT } from '../../serve/http/app.ts'
import type { FileSinkOptions } from '../../serve/log/files.ts'
import { type Compression, hasZstd } from '../../serve/log/upkeep.ts'
import { collect, oneOf, wholeNumber } from '../arguments.ts'

export interface ServeOptions {
  /** Undefined: the repository around the working folder. */
  readonly bundle: string | undefined
  readonly host: string
  readonly port: number
  readonly routes: { readonly predict: string; readonly health?: string }
  /** A folder, or `stdout`; undefined: `logs` in the repository or the working folder. */
  readonly log: string | undefined
  readonly flushMs: number
  readonly fsync: FileSinkOptions['fsync']
  readonly ack: 'queued' | 'written'
  readonly maxLogBytes: number
  /** What becomes of closed files of the log. */
  readonly compress: Compression | undefined
  readonly keepMs: number | undefined
  readonly keepBytes: number | undefined
  readonly control: string | undefined
  readonly pollMs: number
  /** How often what was learnt is published; undefined: nothing is learnt. */
  readonly publishMs: number | undefined
  readonly snapshots: ReadonlyMap<string, string>
  readonly migrate: boolean
  readonly timeoutMs: number
  readonly bodyLimit: number
  readonly maxBatch: number
  /** How long the port stays open once the server says that it stops. */
  readonly drainMs: number
  readonly workers: number
  /** Whose pages may ask; `*` for all. */
  readonly corsOrigins: readonly string[]
  /** The file of the tokens; undefined: nobody needs one. */
  readonly tokenFile: string | undefined
  readonly clientLimits: ClientLimits
  /** Files in PEM; undefined: plain HTTP. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined
}

/** Where both streams of the log go to stdout. */
export const STDOUT = 'stdout'

const DEFAULTS = {
  port: 8080,
  flushMs: 20,
  fsync: 'never',
  ack: 'queued',
  maxLogBytes: 256 * 1024 * 1024,
  pollMs: 1_000,
  publish: '10m',
  timeoutMs: 1_000,
  bodyLimit: DEFAULT_LIMITS.body,
  maxBatch: DEFAULT_LIMITS.batch,
  drainMs: 3_000,
  workers: 1,
} as const

export function declareServe(command: Command): void {
  const number = (flag: string, minimum: number, what: string, fallback: number) =>
    command.option(`--${flag} <n>`, `${what}; default: ${fallback}`, wholeNumber(flag, minimum))
  command
    .option(
      '--bundle <path>',
      "a bundle, or a folder of them; default: $AIP_STORAGE_URI, else the repository's policies",
    )
    .option('--snapshot <policy=file>', 'instead of snapshots/<policy>.json; may be repeated', collect)
    .option('--migrate', 'carry over snapshots of policies whose actions have changed')
    .option('--host <address>', 'default: 127.0.0.1; 0.0.0.0 where $AIP_HTTP_PORT is set')
    .option('--port <n>', `0 takes any; default: $AIP_HTTP_PORT, else ${DEFAULTS.port}`, wholeNumber('port', 0))
  number('workers', 1, 'processes that share the port', DEFAULTS.workers)
  command
    .option('--log <dir>', 'folder of the decision log, or `stdout`; default: logs')
    .option('--fsync <when>', `never, interval (a second) or always (each write); default: ${DEFAULTS.fsync}`)
  command.option('--ack <when>', `answer once a record is queued, or written; default: ${DEFAULTS.ack}`)
  number('flush-ms', 0, 'how long a record may wait for others to be written with', DEFAULTS.flushMs)
  number('max-log-bytes', 1, 'a file of the log ends before it grows beyond this', DEFAULTS.maxLogBytes)
  command
    .option(
      '--compress <how>',
      'gzip, zstd or none: what becomes of files of the log once they are closed; default: none',
    )
    .option('--keep <duration>', 'files of the log that are older are deleted, such as 30d; default: none are')
    .option(
      '--keep-bytes <n>',
      'the oldest files of the log are deleted while all of them have more; default: none are',
      wholeNumber('keep-bytes', 1),
    )
    .option('--control <file>', 'kill switch: {"killed": ["a-policy"], "reason": "why"}')
  number('poll-ms', 10, 'how often files are looked at for changes', DEFAULTS.pollMs)
  command
    .option('--learn', "learn from the server's own decisions and rewards")
    .option('--publish <duration>', `how often what was learnt starts to decide; default: ${DEFAULTS.publish}`)
  number('timeout-ms', 1, 'a request that has waited longer is answered with the fallback', DEFAULTS.timeoutMs)
  number('body-limit', 1, 'bytes of a request', DEFAULTS.bodyLimit)
  number('max-batch', 1, 'requests in one batch', DEFAULTS.maxBatch)
  const perClient = (flag: string, what: string) =>
    command.option(`--${flag} <n>`, `${what}, known by token or address; default: no limit`, wholeNumber(flag, 1))
  perClient('client-rate', 'requests a second of one client')
  perClient('client-in-work', 'requests of one client at once')
  command
    .option('--tls-cert <file>', 'serve HTTPS with this certificate, and those that it rests on behind it; PEM')
    .option('--tls-key <file>', 'its key, without a pass phrase; PEM')
  command.option(
    '--tokens <file>',
    'who may ask, and for what: names, hashes of bearer tokens, scopes; default: everybody',
  )
  command.option('--cors-origin <origin>', 'pages of this origin may ask, `*`: of any; may be repeated', collect)
  command.option(
    '--drain-ms <n>',
    `how long the server, unready, still takes requests before it stops; default: ${DEFAULTS.drainMs}, on a terminal 0`,
    wholeNumber('drain-ms', 0),
  )
  command.addHelpText(
    'after',
    `
Every option is a variable of the environment, too: --flush-ms is DAP_FLUSH_MS. A flag beats the variable, the variable those that Vertex AI sets
($AIP_…), those the default. Options that may be repeated are lists with commas, those without a value are 1 or 0.

SIGTERM and Ctrl-C stop the server gracefully: unready at once, answers close their connections, the port closes after
--drain-ms, requests in flight are answered, the log is written. A second one kills it. docs/server.md lists the routes, schemas/openapi.yaml describes them.

exit codes: 0 stopped, 1 it could not start or records of the log are lost, 3 usage`,
  )
}

/** What the options, and the variables that Vertex AI sets, ask for. */
export function serveOptions(flags: Readonly<Record<string, unknown>>, host: Host): ServeOptions {
  const given = flags as Partial<Flags>
  const vertexPort = host.environment('AIP_HTTP_PORT')
  const bundle = given.bundle ?? host.environment('AIP_STORAGE_URI')
  refuse(given, bundle !== undefined, vertexPort !== undefined)
  const { port, log, control, snapshot = [], learn = false, publish, migrate = false, keep, ...numbers } = given
  return {
    bundle,
    host: given.host ?? (vertexPort === undefined ? '127.0.0.1' : '0.0.0.0'),
    port: port === undefined ? vertexPortOf(vertexPort) : portOf(port),
    routes: {
      predict: routeOf(host, 'AIP_PREDICT_ROUTE') ?? PREDICT,
      health: routeOf(host, 'AIP_HEALTH_ROUTE'),
    },
    log,
    fsync: fsyncOf(given.fsync ?? DEFAULTS.fsync),
    ack: ackOf(given.ack ?? DEFAULTS.ack),
    compress: compressionOf(given.compress ?? 'none'),
    keepMs: keep === undefined ? undefined : durationOf('--keep', keep, '1h', '36h or 30d'),
    keepBytes: numbers.keepBytes,
    control,
    publishMs: learn ? durationOf('--publish', publish ?? DEFAULTS.publish, '1s', '90s or 10m') : undefined,
    snapshots: new Map(snapshot.map(namedSnapshot)),
    migrate,
    flushMs: numbers.flushMs ?? DEFAULTS.flushMs,
    maxLogBytes: numbers.maxLogBytes ?? DEFAULTS.maxLogBytes,
    pollMs: numbers.pollMs ?? DEFAULTS.pollMs,
    timeoutMs: numbers.timeoutMs ?? DEFAULTS.timeoutMs,
    bodyLimit: numbers.bodyLimit ?? DEFAULTS.bodyLimit,
    maxBatch: numbers.maxBatch ?? DEFAULTS.maxBatch,
    drainMs: numbers.drainMs ?? (host.terminal.interactive ? 0 : DEFAULTS.drainMs),
    workers: numbers.workers ?? DEFAULTS.workers,
    tokenFile: given.tokens,
    certificate: certificateOf(given),
    clientLimits: { rate: given.clientRate, inWork: given.clientInWork },
    corsOrigins: (given.corsOrigin ?? []).map(originOf),
  }
}

interface Flags {
  readonly bundle: string
  readonly host: string
  readonly port: number
  readonly log: string
  readonly flushMs: number
  readonly fsync: string
  readonly ack: string
  readonly maxLogBytes: number
  readonly compress: string
  readonly keep: string
  readonly keepBytes: number
  readonly control: string
  readonly pollMs: number
  readonly learn: boolean
  readonly publish: string
  readonly snapshot: readonly string[]
  readonly migrate: boolean
  readonly timeoutMs: number
  readonly bodyLimit: number
  readonly maxBatch: number
  readonly drainMs: number
  readonly workers: number
  readonly corsOrigin: readonly string[]
  readonly tokens: string
  readonly clientRate: number
  readonly clientInWork: number
  readonly tlsCert: string
  readonly tlsKey: string
  readonly json: boolean
}

/** What cannot mean anything together. */
function refuse(
  {
    learn,
    publish,
    workers = 1,
    snapshot = [],
    migrate,
    log,
    tokens,
    tlsCert,
    json,
    compress,
    keep,
    keepBytes,
  }: Partial<Flags>,
  bundle: boolean,
  vertex: boolean,
) {
  if (learn && workers > 1) {
    throw new UsageError('--learn needs a single process', { hint: 'each of several would learn something else' })
  }
  if (log === STDOUT && workers > 1) {
    throw new UsageError('--log stdout needs a single process', {
      hint: 'lines of several would be torn by one another; --log DIR gives each its own files',
    })
  }
  if (publish !== undefined && !learn) throw new UsageError('--publish needs --learn')
  if (bundle && (snapshot.length > 0 || migrate)) {
    throw new UsageError('a bundle has its snapshot in it', { hint: '`dap bundle` takes --snapshot and --migrate' })
  }
  if (log === STDOUT && (compress !== undefined || keep !== undefined || keepBytes !== undefined)) {
    throw new UsageError('--compress, --keep and --keep-bytes are about files, and --log stdout writes none')
  }
  const closed = tokens !== undefined ? '--tokens' : tlsCert !== undefined ? '--tls-cert' : undefined
  if (vertex && closed !== undefined) {
    throw new UsageError(`${closed} would shut Vertex AI out`, {
      hint: 'where $AIP_HTTP_PORT is set, Vertex AI asks by plain HTTP and shows no token; its endpoint does both',
    })
  }
  if (json && log === STDOUT) throw new UsageError('--json and --log stdout would both write to stdout')
}

function namedSnapshot(text: string): [policy: string, path: string] {
  const at = text.indexOf('=')
  if (at <= 0 || at === text.length - 1) throw new UsageError(`--snapshot takes POLICY=FILE, got \`${text}\``)
  return [text.slice(0, at), text.slice(at + 1)]
}

function durationOf(flag: string, text: string, least: string, such: string): number {
  try {
    const ms = milliseconds(text)
    if (ms >= milliseconds(least)) return ms
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new UsageError(`${flag} takes a duration of at least ${least}, such as ${such}, got \`${text}\``)
}

function compressionOf(text: string): Compression | undefined {
  const how = oneOf('--compress', ['gzip', 'zstd', 'none'])(text)
  if (how === 'none') return undefined
  if (how === 'gzip' || hasZstd) return how
  throw new UsageError(`--compress zstd needs Node 22.15 or later, this is ${process.versions.node}`, {
    hint: 'gzip does without; or install a current Node',
  })
}

/** As browsers write it: anything else would never match. */
function originOf(text: string): string {
  const url = text === '*' || !URL.canParse(text) ? undefined : new URL(text)
  if (text === '*' || (url !== undefined && url.origin === text)) return text
  throw new UsageError(`--cors-origin takes an origin or \`*\`, got \`${text}\``, {
    hint:
      url === undefined || url.origin === 'null' ? 'such as https://shop.example' : `did you mean \`${url.origin}\`?`,
  })
}

function certificateOf({ tlsCert, tlsKey }: Partial<Flags>): ServeOptions['certificate'] {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey }
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  const [given, missing] = tlsKey === undefined ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert']
  throw new UsageError(`${given} needs ${missing}`)
}

const fsyncOf = oneOf('--fsync', ['never', 'interval', 'always'])
const ackOf = oneOf('--ack', ['queued', 'written'])

function portOf(port: number): number {
  if (port <= 65_535) return port
  throw new UsageError(`--port takes a number up to 65535, got ${port}`)
}

function vertexPortOf(text: string | undefined): number {
  if (text === undefined) return DEFAULTS.port
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new UsageError(`$AIP_HTTP_PORT is no port: \`${text}\``)
}

function routeOf(host: Host, variable: string): string | undefined {
  const route = host.environment(variable)
  if (route === undefined || /^\/[\w/.:-]*$/.test(route)) return route
  throw new UsageError(`$${variable} is no path: \`${route}\``)
}
