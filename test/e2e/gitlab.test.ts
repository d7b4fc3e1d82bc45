import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { execa } from 'execa'
import { load } from 'js-yaml'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

interface Note {
  readonly id: number
  readonly body: string
  readonly author: { readonly id: number }
}

/** A GitLab that has a merge request with notes, its pipelines, and the artifacts of a job. */
async function gitlab(notes: Note[], pipelines: readonly object[] = []) {
  const calls: string[] = []
  const server = createServer((request, response) => {
    let sent = ''
    request.on('data', data => {
      sent += data
    })
    request.on('end', () => {
      const { pathname, searchParams } = new URL(request.url!, 'http://gitlab')
      calls.push(`${request.method} ${pathname}`)
      const answer = (body: unknown, headers = {}) => response.writeHead(200, headers).end(JSON.stringify(body))
      if (request.headers['private-token'] !== 'secret') return response.writeHead(401).end()
      if (pathname === '/user') return answer({ id: 1 })
      if (pathname.endsWith('/notes') && request.method === 'GET') {
        const page = Number(searchParams.get('page'))
        const next = notes.length > page ? String(page + 1) : ''
        return answer(notes.slice(page - 1, page), { 'x-next-page': next })
      }
      if (pathname.endsWith('/notes')) {
        notes.push({ id: notes.length + 1, author: { id: 1 }, ...JSON.parse(sent) })
        return answer({})
      }
      if (/\/notes\/\d+$/.test(pathname)) {
        const at = notes.findIndex(({ id }) => pathname.endsWith(`/${id}`))
        notes[at] = { ...notes[at], ...JSON.parse(sent) }
        return answer({})
      }
      if (pathname.endsWith('/repository/commits/89abcdef/merge_requests'))
        return answer([{ iid: 3, state: 'merged', sha: 'head' }])
      if (pathname.endsWith('/merge_requests/3/pipelines')) return answer(pipelines)
      if (pathname.endsWith('/pipelines/5/jobs'))
        return answer([
          { id: 7, name: 'check' },
          { id: 8, name: 'plan' },
        ])
      if (pathname.endsWith('/jobs/8/artifacts')) return response.end('a zip')
      return response.writeHead(404).end()
    })
  }).listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  onTestFinished(() => void server.close())
  return { calls, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** The first lines of a job's script that ask GitLab, in a folder of their own. */
async function job(name: string, url: string, plan?: string) {
  const text = await readFile(join(PACKAGE_ROOT, 'templates/_ci/gitlab/_gitlab-ci.yml'), 'utf8')
  const withoutTags = text.replaceAll('!reference ', '')
  const { [name]: found } = load(withoutTags) as Record<string, { readonly script: readonly string[] }>
  const folder = await mkdtemp(join(tmpdir(), 'dap-gitlab-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  if (plan !== undefined) await writeFile(join(folder, 'plan.md'), plan)
  const { exitCode, stderr } = await execa(
    'bash',
    ['--noprofile', '--norc', '-eo', 'pipefail', '-c', found.script[0]],
    {
      ...{ cwd: folder, reject: false, extendEnv: false, stdin: 'ignore' },
      env: {
        PATH: [dirname(process.execPath), '/usr/bin:/bin'].join(delimiter),
        ...{ CI_API_V4_URL: url, CI_PROJECT_ID: '9', CI_MERGE_REQUEST_IID: '3', CI_COMMIT_SHA: '89abcdef' },
        ...{ DAP_NOTE_TOKEN: 'secret', DAP_READ_TOKEN: 'secret' },
      },
    },
  )
  return { exitCode, stderr, folder }
}

const MARKED = '<!-- dap plan prod -->\nthe plan'

describe('the note of a merge request', () => {
  it('is written once, and edited from then on, whatever others write', async () => {
    const notes: Note[] = [
      { id: 1, body: MARKED, author: { id: 2 } },
      { id: 2, body: 'looks good', author: { id: 1 } },
    ]
    const { url } = await gitlab(notes)
    expect(await job('note', url, MARKED)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(notes.map(({ body }) => body)).toEqual([MARKED, 'looks good', MARKED])
    expect(await job('note', url, `${MARKED}, again`)).toMatchObject({ exitCode: 0 })
    expect(notes.map(({ body }) => body)).toEqual([MARKED, 'looks good', `${MARKED}, again`])
  })

  it('is none where there is no plan', async () => {
    const { url, calls } = await gitlab([])
    expect(await job('note', url)).toMatchObject({ exitCode: 0 })
    expect(calls).toEqual([])
  })
})

describe('the approved plan', () => {
  const right = { id: 5, sha: 'head', status: 'success', project_id: 9 }

  it('is that of the pipeline of what was merged', async () => {
    const others = [
      { ...right, id: 1, sha: 'older' },
      { ...right, id: 2, status: 'failed' },
      // Of a fork: it may hold anything.
      { ...right, id: 3, project_id: 10 },
    ]
    const { url } = await gitlab([], [...others, right])
    const { exitCode, stderr, folder } = await job('approved', url)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(await readFile(join(folder, 'approved.zip'), 'utf8')).toBe('a zip')
    const without = await job('approved', (await gitlab([], others)).url)
    expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no plan was approved') })
  })
})
