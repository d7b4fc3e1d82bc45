/** Bundles `src` into `dist`, one chunk a command so that each loads only what it runs, and emits the library's types. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { build, type Plugin } from 'esbuild'
import { emitDeclarations } from './declarations.ts'
import { generate } from './generate.ts'

const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }

/** Commander imports `node:child_process` for subcommands that are programs, prom-client OpenTelemetry for exemplars. dap has neither. */
const UNUSED = [
  { module: /^node:child_process$/, of: 'commander' },
  { module: /^@opentelemetry\/api$/, of: 'prom-client' },
]

/** Loading the one takes 5 ms, the other is 43 KB. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup({ onResolve, onLoad }) {
    for (const { module, of } of UNUSED) {
      onResolve({ filter: module }, ({ path, importer }) =>
        importer.includes(`/${of}/`) ? { path, namespace: 'none' } : undefined,
      )
    }
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export default {}' }))
  },
}

/** The part of dap's own lock file that whoever installs dap needs, for the lock files of new repositories. */
async function locked(): Promise<object> {
  const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as { packages: Record<string, LockEntry> }
  const entries = Object.entries(lock.packages).filter(([folder, { dev }]) => folder !== '' && dev !== true)
  return Object.fromEntries(
    entries.map(([folder, { devOptional, ...entry }]) => [folder, devOptional ? { ...entry, optional: true } : entry]),
  )
}

interface LockEntry {
  readonly dev?: boolean
  /** Wanted by a development dependency, and by an optional one of the rest. */
  readonly devOptional?: boolean
}

await generate()
await rm('dist', { recursive: true, force: true })
await build({
  entryPoints: {
    main: 'src/main.ts',
    worker: 'src/worker.ts',
    index: 'src/index.ts',
    duckdb: 'src/adapters/duckdb/duckdb.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.12',
  chunkNames: 'chunks/[name]-[hash]',
  // Native, or optional at run time: resolved from node_modules when a command needs it.
  external: [
    '@duckdb/node-api',
    '@google-cloud/aiplatform',
    '@google-cloud/storage',
    '@grpc/grpc-js',
    'google-gax',
    'onnxruntime-node',
    'react-devtools-core',
  ],
  plugins: [withoutUnused],
  jsx: 'automatic',
  // Names stay, so that a trace in a bug report can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  define: { DAP_VERSION: JSON.stringify(version), 'process.env.NODE_ENV': '"production"' },
  // CommonJS packages that are bundled into ESM call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  legalComments: 'linked',
  logLevel: 'warning',
})
// Alone, and for browsers, too.
await build({
  entryPoints: { client: 'src/client.ts' },
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'es2022',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
})
await emitDeclarations()
await writeFile('dist/locked.json', `${JSON.stringify(await locked())}\n`)
