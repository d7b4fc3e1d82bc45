/**
 * The pages of `docs/reference`: what each file of `schemas/` says, for people. A page is the walk of `dap explain` over a whole schema;
 * every mapping has a section of its own, and whatever leads to it a link.
 */
import { boundsOf, branchesOf, itemOf, property, typeOf, variantNames } from '../src/repo/describe.ts'
import { allowed, resolve, type Schema } from '../src/repo/schema.ts'
import { faultsPage } from './faults-page.ts'
import { anchor, code, example, fenced, flow, item, NOTE, oneOf, prose, wrapped } from './markdown.ts'
import { rulesPage } from './rules-page.ts'
import { bundled, type Schemas, typeName } from './schema-files.ts'

/** File of `docs/reference` → Markdown. */
export function pages(schemas: Schemas, kinds: readonly string[]): Readonly<Record<string, string>> {
  const all = Object.keys(schemas).map(file => [pageOf(file), page(file, schemas)] as const)
  return {
    ...Object.fromEntries(all),
    'rules.md': rulesPage(schemas),
    'faults.md': faultsPage(schemas),
    'README.md': index(schemas, kinds),
  }
}

const pageOf = (file: string) => file.replace('.schema.json', '.md')

/** The name of a definition, or of a whole file → the file. They are unique among all schemas. */
type Homes = ReadonlyMap<string, string>

function homesOf(schemas: Schemas): Homes {
  const files = Object.entries(schemas)
  return new Map(
    files.flatMap(([file, { $defs = {} }]) => [typeName(file), ...Object.keys($defs)].map(name => [name, file])),
  )
}

function index(schemas: Schemas, kinds: readonly string[]): string {
  const groups: readonly [title: string, about: string, belongs: (file: string) => boolean][] = [
    ['Kinds', 'What the files of a repository say.', file => kinds.includes(typeName(file))],
    ['Records', 'The lines of a decision log.', file => typeName(file).endsWith('Record')],
    ['Results', 'What commands print with `--json`.', file => file.endsWith('-result.schema.json')],
    ['Files', 'What dap writes and reads again.', () => true],
  ]
  let left = Object.keys(schemas)
  const sections = groups.map(([title, about, belongs]) => {
    const members = left.filter(belongs)
    left = left.filter(file => !belongs(file))
    const lines = members.map(file => {
      const { title: name, description = '' } = schemas[file]
      return item(`[${name}](${pageOf(file)})${description === '' ? '' : `: ${prose(description)}`}`)
    })
    return `## ${title}\n\n${about}\n\n${lines.join('\n')}`
  })
  const about =
    'Every field of what dap reads, writes and prints, made from the JSON Schemas in [`schemas/`](../../schemas), which the package has, too. ' +
    'In a terminal `dap explain Policy.spec.algorithm` says the same of a field, and `dap schema policy` prints a schema.'
  const rules = `## Rules\n\n${item('[What rules read](rules.md): of a context, and of the results that gates and expectations judge.')}`
  const faults = `## Faults\n\n${item('[What can be wrong](faults.md): in files, in logs and in results, by the ids that CI sees.')}`
  return `${[NOTE, '# Reference', wrapped(about), ...sections, rules, faults].join('\n\n')}\n`
}

interface Section {
  readonly title: string
  readonly schema: Schema
  /** What the titles of the sections inside begin with. */
  readonly path: string
}

/** The page of one schema. */
export function page(file: string, schemas: Schemas): string {
  const homes = homesOf(schemas)
  const root = bundled(file, schemas) as Schema
  const waiting: Section[] = []
  const titles = new Map<Schema | string, string>()

  function link(key: Schema | string, { title, ...section }: Section, text = title): string {
    if (!titles.has(key)) {
      titles.set(key, title)
      waiting.push({ title, ...section })
    }
    return `[${text}](#${anchor(titles.get(key)!)})`
  }

  /** What a type is called where it has a section, here or on another page, or lists its values. */
  function named(schema: Schema, path: string): string | undefined {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace('#/$defs/', '')
      const home = homes.get(name)!
      if (home === file) return link(name, { title: name, schema: root.$defs![name], path: name })
      return `[${name}](${pageOf(home)}${name === typeName(home) ? '' : `#${anchor(name)}`})`
    }
    const values = allowed(schema)
    if (values.length > 0) return oneOf(values.map(value => code(flow(value))))
    if (!isMapping(schema) && mappings(schema, root).length < 2) return undefined
    return link(schema, { title: code(path), schema, path }, 'mapping')
  }

  const facts = (schema: Schema, path: string) => [
    typeOf(schema, root, each => named(each, path)),
    ...boundsOf(resolve(schema, root), root, code),
  ]

  function field(owner: Schema, name: string, path: string): string {
    const inner = path === '' ? name : `${path}.${name}`
    const { schema, required } = property(owner, name, root)
    const { description = '' } = owner.properties![name]
    const more = [required && 'required', schema.default !== undefined && `default ${code(flow(schema.default))}`]
    const head = `**${code(name)}**: ${[...facts(owner.properties![name], inner), ...more.filter(Boolean)].join(', ')}`
    const shown =
      schema.examples !== undefined && allowed(schema).length === 0 && (path !== '' || root.examples === undefined)
    return item(head, prose(description), ...(shown ? example(schema.examples![0]) : []))
  }

  function fieldsOf(schema: Schema, path: string): string[] {
    const { properties = {}, additionalProperties } = schema
    const named = Object.keys(properties).map(name => field(schema, name, path))
    if (!additionalProperties || named.length === 0) return named
    return [...named, item(`any other name: ${facts(additionalProperties, path).join(', ')}`)]
  }

  function section({ title, schema, path }: Section): string[] {
    const inner = itemOf(schema, root)
    const shapes = (inner.oneOf ?? inner.anyOf ?? []).map(each => shape(each, inner, title, path))
    const plain = schema.properties === undefined && shapes.length === 0
    const values = allowed(schema).map(value => code(flow(value)))
    return [
      `## ${title}`,
      wrapped(prose(schema.description ?? '')),
      plain
        ? wrapped(values.length > 0 ? `One of ${oneOf(values)}.` : `${facts({ ...schema }, path).join(', ')}.`)
        : '',
      [...fieldsOf(schema, path), ...shapes.map(({ line }) => line)].join('\n'),
      ...shapes.flatMap(({ section }) => section),
    ]
  }

  /** One of several shapes: its line in the list of them, and its section where it is a mapping written there. */
  function shape(raw: Schema, union: Schema, title: string, path: string): { line: string; section: string[] } {
    const { description = '' } = raw
    if (!isMapping(raw)) return { line: item(facts(raw, path).join(', '), prose(description)), section: [] }
    const name = variantNames(raw, union, root).join(', ')
    const own = `${title}: ${name}`
    return {
      line: item(`[${code(name)}](#${anchor(own)})${description === '' ? '' : `: ${prose(description)}`}`),
      section: [`### ${own}`, wrapped(prose(description)), fieldsOf(raw, `${path}.${name}`).join('\n')],
    }
  }

  const [whole] = root.examples ?? []
  const parts = [
    NOTE,
    `# ${root.title}`,
    wrapped(prose(root.description ?? '')),
    `[Schema](../../schemas/${file}) · [All pages](README.md)`,
    whole === undefined ? '' : fenced(whole),
    fieldsOf(root, '').join('\n'),
  ]
  const rest = () => {
    // What a section leads to comes right after it.
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const others = waiting.splice(0)
      parts.push(...section(next))
      waiting.push(...others)
    }
  }
  rest()
  // What nothing of the document leads to, such as what rules read of it.
  for (const name of Object.keys(schemas[file].$defs ?? {})) {
    const schema = root.$defs![name]
    if (isMapping(schema) && !titles.has(name)) link(name, { title: name, schema, path: name })
    rest()
  }
  return `${parts.filter(part => part !== '').join('\n\n')}\n`
}

const isMapping = (schema: Schema) => Object.keys(schema.properties ?? {}).length > 0

const mappings = (schema: Schema, root: Schema) => branchesOf(schema, root).filter(isMapping)
