import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))
const TEST = fileURLToPath(new URL('.', import.meta.url))

/** Files that any folder may import: types, errors, diagnostics and how a count is written, which import nothing but each other themselves. */
const SHARED = [
  'kinds.ts',
  'kind-word.ts',
  'results.ts',
  'errors.ts',
  'grouped.ts',
  'diagnostics.ts',
  'generated/types.ts',
  'generated/names.ts',
  'generated/fault-texts.ts',
  'generated/cel-types.ts',
]

/** folder → the folders it may import. `core` stands for the files directly in `src`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  math: [],
  schema: [],
  policy: ['math', 'schema', 'generated'],
  models: ['policy', 'math'],
  log: ['policy', 'math', 'schema', 'generated'],
  simulate: ['models', 'log', 'policy', 'math'],
  evaluate: ['models', 'log', 'policy', 'math'],
  train: ['models', 'log', 'policy', 'math'],
  serve: ['models', 'log', 'policy', 'math', 'generated'],
  client: [],
  repo: ['policy', 'models', 'simulate', 'evaluate', 'math', 'core', 'generated'],
  scaffold: ['core'],
  deploy: ['core', 'policy', 'math', 'schema', 'generated'],
  emulator: ['core', 'adapters'],
  ui: ['core'],
  adapters: ['core', 'models', 'log', 'deploy', 'policy', 'math'],
  commands: [
    'core',
    'math',
    'policy',
    'models',
    'log',
    'schema',
    'generated',
    'simulate',
    'evaluate',
    'train',
    'serve',
    'repo',
    'scaffold',
    'deploy',
    'emulator',
    'ui',
    'generated',
  ],
  generated: [],
}

/** Types alone may also cross these. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  adapters: ['simulate', 'train'],
  scaffold: ['policy'],
  ui: ['policy', 'models', 'log', 'simulate', 'evaluate', 'train', 'repo', 'deploy', 'scaffold'],
}

/**
 * The rooms of a part: room → the rooms beside it that it may import. A room may also import the ground that all of them stand on: the files
 * that lie beside them. What puts a part together is of the ground, too, and imports what it likes.
 */
const ROOMS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  adapters: { node: [], duckdb: ['node'], onnx: [], inference: [], vertex: [] },
  commands: {
    // What several commands do.
    opening: [],
    reading: ['opening'],
    evidence: ['opening', 'reading'],
    deploying: ['opening', 'evidence'],
    several: ['opening', 'evidence'],
    // Commands of two words under their first, and what only the command of this name needs.
    completion: ['opening'],
    dataset: ['opening', 'reading'],
    decide: ['opening', 'reading'],
    doctor: ['opening'],
    emulator: ['opening'],
    here: ['opening', 'evidence'],
    image: ['opening'],
    lock: ['deploying'],
    model: ['opening'],
    log: ['opening', 'reading'],
    new: ['opening'],
    plan: ['opening'],
    serve: ['opening'],
    snapshot: ['opening'],
    validate: ['opening', 'reading'],
  },
  deploy: { wanted: [], doing: ['wanted'], operating: ['wanted', 'doing'] },
  emulator: { wire: [], storage: ['wire'], plane: ['wire'], vertex: [] },
  evaluate: {
    candidates: [],
    estimators: [],
    weights: ['candidates', 'estimators'],
    intervals: [],
    verdicts: ['weights', 'estimators'],
    lists: ['candidates', 'estimators', 'weights', 'verdicts'],
  },
  log: { records: [], rows: ['records'], check: ['records'], stats: ['records'] },
  policy: { learners: [], explorations: [], lists: [] },
  repo: { rules: [], sets: ['rules'], models: ['rules', 'sets'] },
  serve: {
    log: [],
    ids: ['log'],
    deciding: ['ids'],
    rewards: ['ids', 'deciding'],
    door: ['deciding'],
    http: ['door', 'deciding', 'ids'],
    cluster: ['ids', 'log'],
  },
  simulate: { clicks: [], worlds: ['clicks'] },
  ui: { live: [], formats: [] },
}

const PURE = [
  'math',
  'schema',
  'policy',
  'models',
  'log',
  'simulate',
  'evaluate',
  'train',
  'repo',
  'scaffold',
  'deploy',
]

/** The kernel, which any engine can run: no globals but ECMAScript's. */
const HOSTLESS = ['math', 'policy', 'schema']

interface Import {
  readonly from: string
  readonly target: string
  readonly typeOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  file => /\.tsx?$/.test(file) && !file.startsWith('generated'),
)

const imports: Import[] = files.flatMap(file => {
  const text = readFileSync(join(SRC, file), 'utf8')
  const found = [...text.matchAll(/^(import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'/gm)].map(
    ([, , type, target]) => ({
      from: file,
      target,
      typeOnly: type !== undefined,
    }),
  )
  const bare = [...text.matchAll(/^import\s+'([^']+)'/gm), ...text.matchAll(/\bimport\('([^']+)'\)/g)].map(
    ([, target]) => ({
      from: file,
      target,
      typeOnly: false,
    }),
  )
  return [...found, ...bare]
})

/** The room of a part that a file is in; undefined on its ground. */
const roomOf = (file: string) => (file.split('/').length > 2 ? file.split('/')[1] : undefined)

const folderOf = (file: string) => (file.includes('/') ? file.split('/')[0] : 'core')

const internal = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(i => ({ ...i, target: relative(SRC, join(SRC, dirname(i.from), i.target)) }))

describe('the import table of the design', () => {
  it('knows every folder of src', () => {
    const folders = new Set(files.map(folderOf).filter(folder => folder !== 'core'))
    expect([...folders].filter(folder => !(folder in MAY_IMPORT))).toEqual([])
  })

  it('holds for every import', () => {
    const broken = internal
      .filter(({ from, target, typeOnly }) => {
        const [here, there] = [folderOf(from), folderOf(target)]
        if (here === 'core' || here === there || SHARED.includes(target)) return false
        if (MAY_IMPORT[here].includes(there)) return false
        return !(typeOnly && MAY_IMPORT_TYPES[here]?.includes(there))
      })
      .map(({ from, target }) => `${from} imports ${target}`)
    expect(broken).toEqual([])
  })

  it('lets main.ts and worker.ts alone name an adapter, but for the emulator, which asks whether a process lives; and nothing but the process and its threads start main.ts and worker.ts', () => {
    const naming = internal
      .filter(i => folderOf(i.target) === 'adapters' && folderOf(i.from) !== 'adapters')
      .filter(i => !(folderOf(i.from) === 'emulator' && i.target === 'adapters/node/processes.ts'))
      .map(i => i.from)
    expect([...new Set(naming)].sort()).toEqual(['main.ts', 'worker.ts'])
    expect(internal.filter(i => i.target === 'main.ts' || i.target === 'worker.ts')).toEqual([])
  })

  it('opens clouds in one place, which lets every command read patiently', () => {
    const opening = files.filter(file => /\.cloud\(/.test(readFileSync(join(SRC, file), 'utf8')))
    expect(opening).toEqual(['commands/deploying/engine.ts'])
  })

  it('keeps the shared core files free of other imports', () => {
    const others = internal.filter(i => SHARED.includes(i.from) && !SHARED.includes(i.target))
    expect(others.map(i => `${i.from} imports ${i.target}`)).toEqual([])
  })

  it('knows every room of every part', () => {
    const rooms = new Set(files.filter(file => roomOf(file) !== undefined).map(file => dirname(file)))
    expect([...rooms].filter(room => ROOMS[folderOf(room)]?.[room.split('/')[1]] === undefined)).toEqual([])
  })

  it('holds for every import from room to room', () => {
    const broken = internal
      .filter(({ from, target }) => folderOf(from) === folderOf(target) && roomOf(from) !== roomOf(target))
      .filter(({ from, target }) => {
        const [here, there] = [roomOf(from), roomOf(target)]
        return here !== undefined && there !== undefined && !ROOMS[folderOf(from)]?.[here]?.includes(there)
      })
      .map(({ from, target }) => `${from} imports ${target}`)
    expect(broken).toEqual([])
  })

  it('has no circle of files, be it of types alone', () => {
    const next = new Map<string, string[]>()
    for (const { from, target } of internal) next.set(from, [...(next.get(from) ?? []), target])
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`)
      if (done.has(file)) return
      for (const target of next.get(file) ?? []) visit(target, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
  })

  it('finds a command by its words: the second under the first, and beside the commands of one word nothing but what all take', () => {
    const registry = readFileSync(join(SRC, 'commands/registry.ts'), 'utf8')
    const commands = [...registry.matchAll(/name: '([^']+)',.*?import\('\.\/([^']+)\.ts'\)/gs)]
    expect(commands.length).toBeGreaterThan(25)
    expect(commands.filter(([, name, file]) => name.replace(' ', '/') !== file).map(([, name]) => name)).toEqual([])
    const ground = files.filter(file => folderOf(file) === 'commands' && roomOf(file) === undefined)
    const named = commands.map(([, , file]) => `commands/${file}.ts`)
    expect(ground.filter(file => !named.includes(file)).sort()).toEqual([
      'commands/arguments.ts',
      'commands/help.ts',
      'commands/registry.ts',
    ])
  })
})

describe('a cloud', () => {
  /** Words of Vertex AI in code; what is published, and so in texts (`label-endpoint`), may have them. */
  const WORD = /[Ll]abel|[Ee]tag|[Aa]lias|[Oo]peration|[Rr]egistry|[Ll]ong-?[Rr]unning/g

  /** Names of `dap.plan/v1` and of results; decision 24. */
  const PUBLISHED = [
    'deploy/doing/events.ts: operation',
    'deploy/doing/run.ts: operation',
    'deploy/wanted/compare-plans.ts: etag',
    'deploy/wanted/orphans.ts: etag',
    'deploy/wanted/plan.ts: etag',
  ]

  it('has labels, operations, etags, aliases and a registry for its adapter and the emulator alone', () => {
    const found = files
      .filter(file => folderOf(file) === 'deploy' || file.startsWith('commands/deploying/') || file === 'titles.ts')
      .flatMap(file => {
        const text = readFileSync(join(SRC, file), 'utf8').replace(/'[^'\n]*'|`[^`]*`|"[^"\n]*"/g, '')
        return [...text.matchAll(WORD)].map(([word]) => `${file}: ${word}`)
      })
    expect([...new Set(found)].sort()).toEqual(PUBLISHED)
  })
})

describe('exports', () => {
  const ROOT = fileURLToPath(new URL('..', import.meta.url))
  const texts = new Map(
    ['src', 'test', 'bench', 'scripts']
      .flatMap(folder =>
        readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(file => `${folder}/${file}`),
      )
      .filter(file => /\.tsx?$/.test(file) && !/^src\/generated\/(?!\w+-shape)|node_modules/.test(file))
      .map(file => [file, readFileSync(join(ROOT, file), 'utf8')]),
  )

  /** What each file takes of others by name, as `file name`; and files of which it takes the whole: any word in it may name an export. */
  const taken = new Set<string>()
  const whole: { readonly from: string; readonly target: string; readonly all: boolean }[] = []
  for (const [from, text] of texts) {
    const at = (target: string) => relative(ROOT, join(ROOT, dirname(from), target))
    for (const [, names, target] of text.matchAll(/\{([^{}]*)\}\s+from\s+'(\.[^']+)'/g)) {
      for (const name of names.split(','))
        taken.add(
          `${at(target)} ${
            name
              .trim()
              .replace(/^type /, '')
              .split(' ')[0]
          }`,
        )
    }
    for (const [, all, target] of text.matchAll(/(export (?:type )?\*|\* as \w+) from\s+'(\.[^']+)'/g)) {
      whole.push({ from, target: at(target), all: all.startsWith('export') })
    }
    for (const [, target] of text.matchAll(/\bimport\('(\.[^']+)'\)/g)) {
      whole.push({ from, target: at(target), all: false })
    }
  }

  const word = (name: string) => new RegExp(`(?<![\\w$])${name}(?![\\w$])`, 'g')

  /** The library and what package.json calls by name: their users are elsewhere. */
  const isPublic = (file: string) => /^src\/(index|client|main|worker|adapters\/duckdb\/duckdb)\.ts$/.test(file)

  /** A type that no other file names may still be what an exported function takes or gives; a value that none names is dead, or no export. */
  it('are imported by somebody, or are types of the same file', () => {
    const unused = [...texts]
      .filter(([file]) => file.startsWith('src/') && !isPublic(file))
      .flatMap(([file, text]) => {
        const takers = whole.filter(({ target }) => target === file)
        const isTaken = (name: string) =>
          taken.has(`${file} ${name}`) || takers.some(({ from, all }) => all || word(name).test(texts.get(from)!))
        const declared = text.matchAll(
          /^export (?:async )?(?:abstract )?(const|let|function\*?|class|interface|type|enum) (\w+)/gm,
        )
        return [...declared]
          .filter(([, kind, name]) => {
            const own = /^(interface|type)$/.test(kind) && [...text.matchAll(word(name))].length > 1
            return !own && !isTaken(name)
          })
          .map(([, , name]) => `${file}: ${name}`)
      })
    expect(unused).toEqual([])
  })
})

describe('pure folders', () => {
  const pure = files.filter(file => PURE.includes(folderOf(file)))

  /** However that is written: over several lines, for its effects, handed on, or when it is needed. */
  it('import no part of Node but its hashes, and the kernel none', () => {
    const HASH = /^import \{ (createHash|hash) \} from 'node:crypto'$/m
    const broken = imports
      .filter(({ from, target }) => PURE.includes(folderOf(from)) && isBuiltin(target))
      .filter(({ from, target }) => {
        const others = imports.filter(i => i.from === from && isBuiltin(i.target)).length > 1
        const isHash = target === 'node:crypto' && !others && HASH.test(readFileSync(join(SRC, from), 'utf8'))
        return !isHash || HOSTLESS.includes(folderOf(from))
      })
      .map(({ from, target }) => `${from} imports ${target}`)
    expect(broken).toEqual([])
  })

  /** `test/policy/bare-engine.test.ts` runs them where there is none; this says of which file it is. */
  it('of the kernel name no global of a host', () => {
    const banned =
      /\b(Buffer|TextEncoder|TextDecoder|structuredClone|process|performance|globalThis|console|crypto|URL|Intl|atob|btoa|queueMicrotask|setTimeout|fetch)\b(?!['`:])/
    const broken = files
      .filter(file => HOSTLESS.includes(folderOf(file)))
      .flatMap(file =>
        readFileSync(join(SRC, file), 'utf8')
          .split('\n')
          .filter(line => banned.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
          .map(line => `${file}: ${line.trim()}`),
      )
    expect(broken).toEqual([])
  })

  it('read no clock, take no chance and print nothing', () => {
    const banned =
      /\b(Math\.random|Date\.now|new Date\(\)|performance\.|console\.|process\.|setTimeout|setInterval|setImmediate|from 'ink')/
    const broken = pure.flatMap(file =>
      readFileSync(join(SRC, file), 'utf8')
        .split('\n')
        .filter(line => banned.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
        .map(line => `${file}: ${line.trim()}`),
    )
    expect(broken).toEqual([])
  })

  /** What is left to the engine is in `elementary.ts`, or nowhere, as powers. */
  it('of arithmetic take of Math what ECMAScript says to the last bit', () => {
    const kernels = ['math', 'policy', 'models', 'log', 'simulate', 'evaluate', 'train']
    const EXACT =
      'abs|ceil|clz32|floor|fround|imul|max|min|round|sign|sqrt|trunc|E|LN2|LN10|LOG2E|LOG10E|PI|SQRT1_2|SQRT2'
    const banned = new RegExp(`\\bMath(?!\\.(?:${EXACT})\\b)|[\\w)\\]]\\s\\*\\*=?\\s`)
    const broken = pure
      .filter(file => kernels.includes(folderOf(file)) && file !== 'math/elementary.ts')
      .flatMap(file =>
        readFileSync(join(SRC, file), 'utf8')
          .split('\n')
          .filter(line => banned.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
          .map(line => `${file}: ${line.trim()}`),
      )
    expect(broken).toEqual([])
  })
})

describe('tests', () => {
  it('measure no time and set no limit of their own: a machine may be slow', () => {
    const banned = /\b(performance\.now|hrtime|vi\.waitFor|vi\.setConfig|(test|hook)Timeout)\b|^\s*\}, [\d_]+\)$/
    const tests = readdirSync(TEST, { recursive: true, encoding: 'utf8' }).filter(
      file => /\.test\.tsx?$/.test(file) && file !== 'architecture.test.ts',
    )
    const broken = tests.flatMap(file =>
      readFileSync(join(TEST, file), 'utf8')
        .split('\n')
        .filter(line => banned.test(line))
        .map(line => `${file}: ${line.trim()}`),
    )
    expect(broken).toEqual([])
  })
})
