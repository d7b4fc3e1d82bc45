import { describe, expect, it } from 'vitest'
import { projectIdOf } from '../../src/scaffold/project-id.ts'
import { expectPublished } from '../support/published.ts'
import { dap, repository } from '../support/run-dap.ts'
import { read } from './support.ts'

const OLD = 'q7m2vx4t9kd3hs8w'
const HEAD = 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\n'

/** What `dap init --new-id` makes of a `dap.yaml`, with `NEW` for the id that it drew. */
async function renewed(text: string) {
  const made = repository({ 'dap.yaml': text })
  const session = await made.dap('init --new-id')
  const id = projectIdOf(made.read('dap.yaml'))!
  const named = (shown: string) => shown.replaceAll(id, 'NEW')
  return { id, session: named(read(session)), text: named(made.read('dap.yaml')), made }
}

describe('init --new-id', () => {
  it.each([
    [
      'a block, with its comments',
      `# ours\n${HEAD}spec: # settings\n  projectId: ${OLD} # whose\n  defaults: { seed: 1 } # a seed\n# the end`,
      `# ours\n${HEAD}spec: # settings\n  projectId: NEW # whose\n  defaults: { seed: 1 } # a seed\n# the end`,
    ],
    [
      'one in quotes, and not the first',
      `${HEAD}spec:\n    folders: [.]\n    projectId: "${OLD}"\n`,
      `${HEAD}spec:\n    folders: [.]\n    projectId: NEW\n`,
    ],
    ['a flow', `${HEAD}spec: { projectId: ${OLD}, folders: [.] }\n`, `${HEAD}spec: { projectId: NEW, folders: [.] }\n`],
    [
      'one that is JSON',
      `{"apiVersion": "dap/v1", "kind": "Project", "metadata": {"name": "shop"}, "spec": {"projectId": "${OLD}"}}\n`,
      `{"apiVersion": "dap/v1", "kind": "Project", "metadata": {"name": "shop"}, "spec": {"projectId": "NEW"}}\n`,
    ],
    [
      'one of several documents',
      `apiVersion: dap/v1\nkind: Environment\nmetadata: { name: local }\nspec: { target: emulator }\n---\n${HEAD}spec: { projectId: ${OLD} }\n`,
      `apiVersion: dap/v1\nkind: Environment\nmetadata: { name: local }\nspec: { target: emulator }\n---\n${HEAD}spec: { projectId: NEW }\n`,
    ],
    ['one with CRLF', `${HEAD}spec:\r\n  projectId: ${OLD}\r\n`, `${HEAD}spec:\r\n  projectId: NEW\r\n`],
  ])('writes another one into %s, and leaves everything else to the letter', async (_, before, after) => {
    const { session, text } = await renewed(before)
    expect(text).toBe(after)
    expect(session).toBe(
      `exit 0\ndap.yaml: projectId is NEW, was ${OLD}\n\nWhat was deployed as ${OLD} is another repository's now: it stays as it is, and \`dap plan\` shows it.\n`,
    )
  })

  it.each([
    [
      'a block',
      `${HEAD}spec: # settings\n  # the seed\n  defaults: { seed: 1 }\n`,
      `${HEAD}spec: # settings\n  # the seed\n  projectId: NEW\n  defaults: { seed: 1 }\n`,
    ],
    ['a flow', `${HEAD}spec: {folders: [.]}\n`, `${HEAD}spec: {projectId: NEW, folders: [.]}\n`],
    ['an empty spec', `${HEAD}spec: {} # nothing\n`, `${HEAD}spec: { projectId: NEW } # nothing\n`],
    [
      'a flow of several lines',
      `${HEAD}spec: {\n  folders: [.]\n}\n`,
      `${HEAD}spec: {\n  projectId: NEW, folders: [.]\n}\n`,
    ],
    [
      'a spec whose value is missing',
      `${HEAD}spec:\n  projectId:\n  folders: [.]\n`,
      `${HEAD}spec:\n  projectId: NEW\n  folders: [.]\n`,
    ],
    [
      'one whose value is a comment',
      `${HEAD}spec:\n  projectId: # whose\n  folders: [.]\n`,
      `${HEAD}spec:\n  projectId: NEW # whose\n  folders: [.]\n`,
    ],
    [
      'a flow whose value is missing',
      `${HEAD}spec: { projectId: , folders: [.] }\n`,
      `${HEAD}spec: { projectId: NEW , folders: [.] }\n`,
    ],
    ['one with CRLF', `${HEAD}spec:\r\n  folders: [.]\r\n`, `${HEAD}spec:\r\n  projectId: NEW\n  folders: [.]\r\n`],
  ])('writes the first one into %s', async (_, before, after) => {
    const { session, text, made } = await renewed(before)
    expect(text).toBe(after)
    expect(session).toBe(
      "exit 0\ndap.yaml: projectId is NEW\n\nWhat was deployed under this project's name before repositories had ids is kept: `dap plan` shows how it gets this one.\n",
    )
    expect(await made.dap('validate')).toMatchObject({ code: 0 })
  })

  it('draws another one each time, which YAML reads as a text', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await renewed(`${HEAD}spec: {}\n`)).id))
    expect(new Set(ids).size).toBe(50)
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z2-9]{15}$/)
  })

  it('says its result as JSON', async () => {
    const made = repository({ 'dap.yaml': `${HEAD}spec: { projectId: ${OLD} }\n` })
    const { stdout } = await made.dap('init --new-id --json')
    expect(JSON.parse(stdout)).toEqual({
      schema: 'dap.new-id/v1',
      projectId: projectIdOf(made.read('dap.yaml')),
      before: OLD,
    })
  })

  it('writes nothing where there is no repository, or none whose text it would not break', async () => {
    const specs = [
      '{ projectId: [',
      '[]',
      '',
      '{ projectId: [a] }',
      '{ projectId }',
      '\n  projectId: |\n    abcdefgh\n  folders: [.]',
    ]
    for (const text of ['', ...specs.map(spec => `${HEAD}spec: ${spec}\n`)]) {
      const made = repository({ 'dap.yaml': text })
      const { code, stderr } = await made.dap('init --new-id')
      expect(code, text).toBe(1)
      expect(stderr).toMatch(
        /^error: `dap.yaml` has no `spec` that an id could be written into\nhint: `dap validate` says what is wrong with it; or write `projectId: [a-z][a-z2-9]{15}` there yourself\n$/,
      )
      expect(made.read('dap.yaml')).toBe(text)
    }
    expect(await repository({}).dap('init --new-id')).toMatchObject({
      code: 3,
      stderr: 'error: there is no `dap.yaml` in `/repo`\nhint: `dap init` makes a repository\n',
    })
  })

  it('is not for a new one', async () => {
    for (const option of ['--template bandit', '--name other']) {
      const { code, stderr } = await repository({ 'dap.yaml': `${HEAD}spec: {}\n` }).dap(`init --new-id ${option}`)
      expect(code).toBe(3)
      expect(stderr).toContain('--new-id is for a repository that is there')
    }
  })
})

describe('init', () => {
  it('draws an id, and once more keeps it', async () => {
    const made = repository({})
    expect(await made.dap('init . --name shop --template bandit')).toMatchObject({ code: 0 })
    const text = made.read('dap.yaml')
    expect(projectIdOf(text)).toMatch(/^[a-z][a-z2-9]{15}$/)
    expect(await made.dap('init . --name shop --template bandit')).toMatchObject({ code: 0 })
    expect(made.read('dap.yaml')).toBe(text)
    const other = repository({})
    await other.dap('init . --name shop --template bandit')
    expect(projectIdOf(other.read('dap.yaml'))).not.toBe(projectIdOf(text))
  })
})

describe('init in a folder that is not empty', () => {
  const theirs = { 'README.md': 'ours\n', LICENSE: 'MIT\n', '.gitignore': 'node_modules/\n*.log', 'src/app.ts': '' }

  it('keeps what is theirs, adds lines where lines do, and names both', async () => {
    const { code, stdout, files } = await dap('init --template bandit', theirs)
    expect(code).toBe(0)
    expect(files).toMatchObject({ 'README.md': 'ours\n', LICENSE: 'MIT\n', 'src/app.ts': '' })
    expect(files['.gitignore']).toMatch(/^node_modules\/\n\*\.log\n\.dap\/journal\/\n(?!.*node_modules)/s)
    expect(stdout).toMatch(/^ {2}README\.md +yours, left as it is$/m)
    expect(stdout).toMatch(/^ {2}\.gitignore +yours, with lines added$/m)
    const again = await dap('init --template bandit', files)
    expect(again).toMatchObject({ code: 0, files })
  })

  it('refuses all that is in the way at once, and writes nothing', async () => {
    const before = { 'dap.yaml': 'theirs', 'package.json': '{}', policies: 'a file', 'README.md': 'ours' }
    const { code, stderr, files } = await dap('init --template bandit', before)
    expect({ code, files }).toEqual({ code: 1, files: before })
    expect(stderr).toMatchInlineSnapshot(`
      "error: in \`/repo\` are in the way: \`package.json\`, \`policies/shop-offer.yaml\`, \`dap.yaml\`
      hint: nothing was written; move them, name another folder, or overwrite them with --force (--dry-run shows what it would do)
      "
    `)
  })

  it('overwrites with --force, but what is theirs', async () => {
    const { code, files, stdout } = await dap('init --template bandit --force', {
      'package.json': '{}',
      'README.md': 'ours',
    })
    expect(code).toBe(0)
    expect(files['package.json']).toContain('dap')
    expect(files['README.md']).toBe('ours')
    expect(stdout).toMatch(/^ {2}package\.json +overwritten$/m)
    expect(await dap('init --template bandit --force', { policies: 'a file' })).toMatchObject({ code: 1 })
  })

  it('shows with --dry-run what it would do, and does nothing', async () => {
    const before = { 'package.json': '{}', 'README.md': 'ours' }
    const { code, stdout, files } = await dap('init --template bandit --dry-run', before)
    expect({ code, files }).toEqual({ code: 0, files: before })
    expect(stdout).toContain('nothing was written, and nothing would be: 1 file in the way')
    const said = JSON.parse((await dap('init --template bandit --dry-run --json', before)).stdout)
    expectPublished('init-result', said)
    expect(said).toMatchObject({ dryRun: true, kept: ['README.md'], inTheWay: ['package.json'] })
  })

  it('names every file that it makes', async () => {
    const { stdout, files } = await dap('init --template bandit')
    for (const path of Object.keys(files))
      expect(stdout).toContain(path.startsWith('.dap/schemas/') ? '.dap/schemas/' : `  ${path}`)
    expect(stdout).toContain(`: ${Object.keys(files).length} files from`)
  })
})

describe('init on a terminal', () => {
  const answers = (yes: boolean, asked: string[] = []) => ({
    choose(question: string) {
      asked.push(question)
      return 'bandit'
    },
    ask(question: string) {
      asked.push(question)
      return 'corner-shop'
    },
    agree(question: string) {
      asked.push(question)
      return yes
    },
  })

  it('asks for what no flag says, and shows the files before it writes them', async () => {
    const asked: string[] = []
    const { code, stderr, files } = await repository({}).dap('init shop', answers(true, asked))
    expect(code).toBe(0)
    expect(asked).toEqual(['Which template?', 'What is it called?', 'Write these files?'])
    expect(stderr).toContain('  policies/shop-offer.yaml\n')
    expect(files['shop/dap.yaml']).toContain('name: corner-shop')
  })

  it('leaves nothing behind at a no', async () => {
    expect(await repository({}).dap('init', answers(false))).toMatchObject({
      code: 1,
      files: {},
      stderr: expect.stringContaining('error: nothing was written'),
    })
  })

  it('asks nothing where flags say all', async () => {
    const asked: string[] = []
    expect(await repository({}).dap('init --template bandit', answers(false, asked))).toMatchObject({ code: 0 })
    expect(asked).toEqual([])
  })
})
