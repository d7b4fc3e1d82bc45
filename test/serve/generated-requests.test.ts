/** 20,000 requests that are generated from the OpenAPI document, and what the server makes of them. */
import { readdir, readFile } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { dap } from '../support/run-dap.ts'
import { conforms, document } from './declared.ts'
import { type GeneratedRequest, generateRequests, MAX_BATCH, type ServedOne } from './generated-requests.ts'
import type { Answer } from './http-support.ts'
import { get, repository, serve } from './serving.ts'

const COUNT = 20_000

/** As many as come at the same time. */
const AT_ONCE = 16

const POLICIES: Readonly<Record<string, string>> = {
  // Every type of field, and rules.
  offer: `
  unit: player
  context:
    player: { type: string, maxLength: 40 }
    level: { type: integer, minimum: 1, maximum: 100, default: 1 }
    visits: { type: integer, default: 0 }
    spend: { type: number, minimum: 0, default: 0 }
    balance: { type: number, default: 0 }
    platform: { type: string, enum: [ios, android], default: ios }
    vip: { type: boolean, default: false }
    place: { type: array, items: { type: number }, minItems: 3, maxItems: 3, default: [0, 0, 0] }
  features: [{ field: level, transform: log1p }, { field: platform, transform: one-hot }, { field: vip }]
  actions: [{ id: none }, { id: gold, eligible: ctx.level >= 5 }, { id: bundle, eligible: "ctx.vip && ctx.platform == 'ios'" }]
  algorithm: { learner: { type: linear }, exploration: { type: thompson } }
  guardrails: { minProbability: 0.02, holdout: { fraction: 0.1, action: none }, fallback: none }
  reward: { name: purchase, type: binary, wait: 72h, default: 0 }`,
  // A caller's baseline, and a reward of any size.
  price: `
  mode: shadow
  unit: shop
  context: { shop: { type: string }, demand: { type: number, default: 1 } }
  actions: [{ id: low }, { id: high, features: { price: 2.5 } }]
  algorithm: { learner: { type: mean }, exploration: { type: epsilon-greedy, epsilon: 0.1 } }
  reward: { name: revenue, type: number, wait: 1h, default: 0 }`,
  // Nothing may be served to some.
  night: `
  unit: player
  context: { player: { type: string }, hour: { type: integer, minimum: 0, maximum: 23, default: 12 } }
  actions: [{ id: call, eligible: ctx.hour >= 8 }, { id: mail, eligible: ctx.hour >= 4 }]
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  guardrails: { fallback: null }
  reward: { name: answer, type: binary, wait: 1h, default: 0 }`,
  // The actions are the request's.
  shelf: `
  unit: player
  context: { player: { type: string }, level: { type: integer, minimum: 0, default: 3 } }
  actions:
    from: request
    max: 6
    features:
      genre: { type: string, enum: [card, puzzle] }
      price: { type: number, minimum: 0, default: 1 }
      taste: { type: array, items: { type: number }, minItems: 2, maxItems: 2, default: [0, 0] }
    eligible: action.price < 100.0 || ctx.level > 50
  features: [{ action: genre }, { action: price, transform: log1p }, { action: taste }, { cross: [level, action.genre] }]
  algorithm: { learner: { type: linear, shared: true }, exploration: { type: squarecb } }
  guardrails: { minProbability: 0.02, holdout: { fraction: 0.1, action: first-eligible } }
  reward: { name: click, type: binary, wait: 1h, default: 0 }`,
  // Lists: a ranking, and declared slots beside a caller's own.
  row: `
  unit: player
  context: { player: { type: string }, level: { type: integer, minimum: 0, default: 3 } }
  actions: [{ id: a }, { id: b }, { id: c }, { id: d, eligible: ctx.level > 5 }]
  decision: { type: ranking, slots: 3 }
  algorithm: { learner: { type: mean }, exploration: { type: softmax } }
  reward: { name: click, type: binary, wait: 1h, default: 0 }`,
  page: `
  mode: apprentice
  unit: player
  context: { player: { type: string } }
  actions: [{ id: a }, { id: b }, { id: c }]
  decision: { type: slots, slots: [{ id: hero }, { id: side, actions: [a, b] }] }
  algorithm: { learner: { type: mean }, exploration: { type: softmax } }
  reward: { name: click, type: binary, wait: 1h, default: 0 }`,
}

const files = Object.fromEntries(
  Object.entries(POLICIES).map(([name, spec]) => [
    `policies/${name}.yaml`,
    `apiVersion: dap/v1\nkind: Policy\nmetadata: { name: ${name} }\nspec:${spec}\n`,
  ]),
)

const REWARDS: Readonly<Record<string, ServedOne['reward']>> = {
  offer: { name: 'purchase', binary: true },
  price: { name: 'revenue', binary: false },
  night: { name: 'answer', binary: true },
  shelf: { name: 'click', binary: true },
  row: { name: 'click', binary: true },
  page: { name: 'click', binary: true },
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

function send(url: string, { method, path, headers, text = '' }: GeneratedRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest(url + path, { method, agent, headers }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', data => {
        body += data
      })
      response.on('end', () => {
        const type = response.headers['content-type']
        const json = type?.includes('json') ? JSON.parse(body) : undefined
        resolve({ status: response.statusCode ?? 0, type, headers: response.headers, text: body, json })
      })
    })
    sending.on('error', reject)
    sending.end(text)
  })
}

/** What is wrong with an answer, in the words of an assertion. */
function judge(request: GeneratedRequest, answer: Answer): void {
  const { method, template, status, pointer, before } = request
  // Flags that are the same as before are not sent again.
  const unchanged = status === 200 && answer.status === 304 && request.headers['if-none-match'] !== undefined
  if (!unchanged) expect(answer.status, answer.text).toBe(status)
  conforms(answer, document.paths[template][method.toLowerCase()].responses[answer.status])
  if (pointer !== undefined) {
    if (answer.json.errors === undefined) expect(answer.json.errorDetails).toMatch(`${pointer} `)
    else {
      // One place may be wrong in two ways: 1.5 is neither a whole number nor at most 0.
      const pointers = answer.json.errors.map((fault: { readonly pointer: string }) => fault.pointer)
      expect([...new Set(pointers)]).toEqual([pointer])
    }
  }
  if (before !== undefined) expect(answer.json).toEqual(before.json)
}

it(`${COUNT.toLocaleString('en')} generated requests get their right answers, and leave a log that can be used`, async () => {
  const folder = await repository(files)
  const server = await serve(folder, ['--max-batch', String(MAX_BATCH)])
  const policies = await Promise.all(
    Object.keys(POLICIES).map(async (name): Promise<ServedOne> => {
      const { json } = await get(`${server.url}/v1/policies/${name}`)
      return { ...json, actions: json.actions.map(({ id }: { readonly id: string }) => id), reward: REWARDS[name] }
    }),
  )
  const requests = generateRequests(policies, stream(13, 'requests'), Date.now)
  const wrong: object[] = []
  const statuses = new Map<number, number>()
  for (let done = 0; done < COUNT; done += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, () => requests.next())
    const answers = await Promise.all(some.map(each => send(server.url, each)))
    for (const [i, answer] of answers.entries()) {
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      try {
        judge(some[i], answer)
      } catch (error) {
        const { what, path, text, headers } = some[i]
        wrong.push({ number: done + i, what, path, headers, text, error: (error as Error).message })
      }
      requests.answered(some[i], answer)
    }
    if (wrong.length > 10) break
  }
  expect(wrong).toEqual([])
  // Every answer that a request alone can bring about has come, most of them often.
  expect([...statuses.keys()].sort()).toEqual([200, 202, 304, 400, 404, 409, 413, 415])
  expect(statuses.get(400)).toBeGreaterThan(COUNT / 4)

  agent.destroy()
  const { code } = await server.stop()
  expect(code).toBe(0)
  expect(server.events().filter(({ msg }) => msg === 'bug')).toEqual([])
  const names = await readdir(join(folder, 'logs'))
  const logs = names.map(async name => [`logs/${name}`, await readFile(join(folder, 'logs', name), 'utf8')] as const)
  const project = await readFile(join(folder, 'dap.yaml'), 'utf8')
  const check = await dap('log check logs --json', {
    'dap.yaml': project,
    ...files,
    ...Object.fromEntries(await Promise.all(logs)),
  })
  const { faults } = JSON.parse(check.stdout)
  expect(faults.filter(({ severity }: { readonly severity: string }) => severity === 'error')).toEqual([])
  expect(check.code).toBe(0)
})
