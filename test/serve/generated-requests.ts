/**
 * Requests made from `schemas/openapi.yaml` and from what a server says of its policies: right ones, ones that are wrong in exactly one place,
 * and ones that come again. What only a policy can say (its context, its reward's range) is put into the document's schemas first, so that
 * one walk over a schema knows every way to be wrong.
 */
import type { Rng } from '../../src/math/rng.ts'
import { type Broken, brokenOf, type JsonSchema, pick, sampleOf, textOf } from '../support/schema-values.ts'
import { document } from './declared.ts'
import type { Answer } from './http-support.ts'

export interface ServedOne {
  readonly name: string
  readonly mode: string
  readonly unit: string
  readonly actionsOfRequest?: { readonly features: JsonSchema }
  readonly slots?: { readonly count: number }
  readonly context: JsonSchema & { readonly properties: Readonly<Record<string, JsonSchema>> }
  readonly actions: readonly string[]
  readonly reward: { readonly name: string; readonly binary: boolean }
}

export interface GeneratedRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** As the document has the path. */
  readonly template: string
  readonly headers: Readonly<Record<string, string>>
  readonly text?: string
  /** What it is meant to be, for who reads a failure. */
  readonly what: string
  readonly status: number
  /** Where the one fault is; absent where the body has no places. */
  readonly pointer?: string
  /** What the same request was answered before. */
  readonly before?: Answer
}

/** A decision that was answered, with what may follow it. */
interface Known {
  readonly id: string
  readonly policy: ServedOne
  /** When it had been made, at the latest; milliseconds since 1970. */
  readonly by: number
  /** How many slots it has. */
  readonly slots: number
  /** Where the caller made the id: the request. */
  readonly request?: DecideBody
}

interface DecideBody {
  readonly decisionId?: string
  readonly policy: string
  readonly context: Readonly<Record<string, unknown>>
}

export interface Requests {
  next(): GeneratedRequest
  /** Learns from an answer what later requests may name. */
  answered(request: GeneratedRequest, answer: Answer): void
}

/** Batches of more are too long. */
export const MAX_BATCH = 6

const schemas = document.components.schemas as Readonly<Record<string, JsonSchema>>

/** The document's schema of an object, with other schemas of some fields. */
function narrowed(
  name: string,
  changes: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): JsonSchema {
  // Examples of the whole are of other policies.
  const { properties, examples: _, ...schema } = schemas[name]
  return { ...schema, properties: { ...properties, ...changes }, required }
}

const list = (items: readonly JsonSchema[]): JsonSchema => ({ type: 'array', prefixItems: items })

const ID = { type: 'string', minLength: 1, maxLength: 256 }

const JSON_TYPES = ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']

export function generateRequests(policies: readonly ServedOne[], rng: Rng, now: () => number): Requests {
  const known: Known[] = []
  const sent: { readonly request: GeneratedRequest; readonly answer: Answer }[] = []
  const activated = new Set<string>()
  const rewards: { readonly value: number }[] = []
  let tag: string | undefined
  let ids = 0
  const chance = (probability: number) => rng.uniform() < probability
  const between = (low: number, high: number) => low + Math.floor(rng.uniform() * (high - low + 1))

  /** An id that was not there before: anything that may be one. */
  const newId = () => `${ids++}:${sampleOf({ type: 'string', maxLength: 100 }, rng)}`

  /** One that is no action is what the caller served, too; but a list has only actions. */
  function baselineSchema({ slots, actions }: ServedOne): JsonSchema {
    if (slots === undefined) return { ...ID, examples: actions }
    const first = between(0, actions.length - 1)
    const own = [...actions.slice(first), ...actions.slice(0, first)].slice(0, between(1, slots.count))
    return { ...list(own.map(id => ({ type: 'string', const: id }))), minItems: 1 }
  }

  function decideSchema(policy: ServedOne): JsonSchema {
    const online = policy.mode === 'online'
    return narrowed(
      'DecideRequest',
      {
        policy: { type: 'string', const: policy.name },
        decisionId: { ...schemas['DecideRequest'].properties?.['decisionId'], const: newId() },
        context: policy.context,
        actions: offeredSchema(policy),
        exclude: list([ID, { ...ID, examples: ['nothing', ...policy.actions] }]),
        baseline: baselineSchema(policy),
      },
      ['policy', 'context', ...(online ? [] : ['baseline']), ...(policy.actionsOfRequest ? ['actions'] : [])],
    )
  }

  /** A few actions of the request, where it brings them; else none. */
  function offeredSchema({ actionsOfRequest }: ServedOne): JsonSchema {
    if (actionsOfRequest === undefined) return { type: 'null', const: null }
    const ids = Array.from({ length: between(1, 4) }, (_, i) => `${i}${newId()}`)
    return list(
      ids.map(id => ({
        ...schemas['OfferedAction'],
        properties: {
          id: { ...schemas['OfferedAction'].properties?.['id'], const: id },
          features: actionsOfRequest.features,
        },
        required: ['id', 'features'],
      })),
    )
  }

  /** The same as an attribute of an OpenFeature client. */
  const offeredAttribute = (policy: ServedOne): Readonly<Record<string, JsonSchema>> =>
    policy.actionsOfRequest === undefined ? {} : { actions: offeredSchema(policy) }

  /** No context is an empty one: what is missing is then what it must have. */
  function atItsPlace(broken: Broken, base: string, policy: ServedOne): Broken {
    const at = `${base}/context`
    const none = broken.wrong === undefined || broken.wrong === null
    if (none && broken.pointer.endsWith('/features')) return { ...broken, pointer: `${broken.pointer}/genre` }
    return broken.pointer === at && none ? { ...broken, pointer: `${at}/${policy.unit}` } : broken
  }

  interface Route {
    readonly path: string
    readonly template?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly ok?: number
  }

  function post(
    { path, template = path, headers = {}, ok = 200 }: Route,
    what: string,
    body: unknown,
  ): GeneratedRequest {
    const type = { 'content-type': pick(rng, JSON_TYPES) }
    return { method: 'POST', path, template, headers: { ...type, ...headers }, text: textOf(body), what, status: ok }
  }

  interface Ways {
    /** What a fault of the schema is to the server, if it is one. */
    readonly move?: (broken: Broken) => Broken | undefined
    /** Faults that no schema knows. */
    readonly more?: (value: unknown) => readonly Broken[]
    readonly status?: (broken: Broken) => number
  }

  /** A right request, or one that is broken in one place. */
  function maybeBroken(
    route: Route,
    schema: JsonSchema,
    { move = broken => broken, more = () => [], status = () => 400 }: Ways = {},
  ): GeneratedRequest {
    const value = sampleOf(schema, rng)
    if (chance(0.55)) return post(route, 'right', value)
    const broken = pick(
      rng,
      [...brokenOf(schema, value), ...more(value)].flatMap(each => move(each) ?? []),
    )
    const what = `${broken.what} at ${broken.pointer || 'the body'}`
    return { ...post(route, what, broken.value), status: status(broken), pointer: broken.pointer }
  }

  const anotherId = ({ pointer, what }: Broken) => what === 'enum' && /\/(decisionId|actions\/\d+\/id)$/.test(pointer)

  const unknownPolicy = ({ pointer, what }: Broken) => (pointer.endsWith('/policy') && what === 'enum' ? 404 : 400)

  function decide(): GeneratedRequest {
    const policy = pick(rng, policies)
    return maybeBroken({ path: '/v1/decide' }, decideSchema(policy), {
      move: broken => (anotherId(broken) ? undefined : atItsPlace(broken, '', policy)),
      status: unknownPolicy,
    })
  }

  function batch(path: string, name: string): GeneratedRequest {
    const asked = Array.from({ length: between(0, MAX_BATCH) }, () => pick(rng, policies))
    const body = narrowed(
      path === '/predict' ? 'PredictRequest' : 'DecideBatchRequest',
      { [name]: list(asked.map(decideSchema)) },
      [name],
    )
    return maybeBroken({ path }, body, {
      move: broken =>
        anotherId(broken)
          ? undefined
          : asked.reduce((moved, policy, i) => atItsPlace(moved, `/${name}/${i}`, policy), broken),
      status: unknownPolicy,
    })
  }

  /** RFC 3339, in some time zone. */
  function timeText(ms: number): string {
    const offset = pick(rng, [0, 0, 330, -720, 765])
    const sign = offset < 0 ? '-' : '+'
    const minutes = Math.abs(offset)
    const two = (n: number) => String(n).padStart(2, '0')
    const zone =
      offset === 0
        ? pick(rng, ['Z', 'z', '+00:00', '-00:00'])
        : `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
    return new Date(ms + offset * 60_000).toISOString().replace('Z', zone)
  }

  /** Times that a reward of a decision may have, and ones that it may not. Clocks may be five seconds apart. */
  function times(decision: Known | undefined): { readonly right: string; readonly wrong: readonly string[] } {
    const slack = 3_000
    const from = decision === undefined ? now() - 1e9 : decision.by - slack
    const right = timeText(between(from, now() + slack))
    const late = [
      timeText(now() + 60_000),
      timeText(now() + 86_400_000),
      '9999-12-31T23:59:59-12:00',
      '0000-01-01T00:00:00+12:00',
    ]
    return { right, wrong: decision === undefined ? late : [...late, timeText(decision.by - 60_000)] }
  }

  const about = () => (known.length > 0 && chance(0.75) ? pick(rng, known) : undefined)

  /** One that the decision has; of one that the server remembers no other is taken. */
  function slotSchema(decision: Known | undefined): JsonSchema {
    const count = decision?.slots ?? 1
    const last = decision?.request === undefined ? 49 : count - 1
    return { type: 'integer', minimum: 0, maximum: last, const: between(0, count - 1) }
  }

  function rewardSchema(): { readonly schema: JsonSchema; readonly wrongTimes: readonly string[] } {
    const decision = about()
    const own = decision?.policy.reward
    const named = decision !== undefined && chance(0.4)
    const other = chance(0.1)
    const fields = schemas['RewardRequest'].properties ?? {}
    const { right, wrong } = times(decision)
    const { name: _, ...rest } = fields
    const schema: JsonSchema = {
      ...narrowed('RewardRequest', {}, ['decisionId', 'value', ...(other ? ['name'] : [])]),
      properties: {
        ...rest,
        rewardId: { ...fields['rewardId'], const: newId() },
        decisionId: { ...fields['decisionId'], const: decision?.id ?? newId() },
        slot: slotSchema(decision),
        value: own?.binary && !other ? { type: 'number', enum: [0, 1] } : fields['value'],
        ts: { ...fields['ts'], const: right },
        ...(other
          ? { name: { ...fields['name'], examples: ['clicks'] } }
          : named
            ? { name: { type: 'string', const: own?.name } }
            : {}),
      },
    }
    return { schema, wrongTimes: wrong }
  }

  /** Another id or another name is another reward, and no fault. */
  function isFault({ pointer, what }: Broken): boolean {
    if (what === 'enum' && /\/(decisionId|rewardId|name)$/.test(pointer)) return false
    return !(what === 'required' && pointer.endsWith('/name'))
  }

  function withTime(value: unknown, keys: readonly (string | number)[], ts: string): unknown {
    if (keys.length === 0) return { ...(value as object), ts }
    const [key, ...rest] = keys
    const inside = withTime((value as Readonly<Record<string | number, unknown>>)[key], rest, ts)
    return Array.isArray(value) ? value.with(key as number, inside) : { ...(value as object), [key]: inside }
  }

  function oneOrMany(
    path: string,
    name: string,
    batchName: string,
    make: () => { readonly schema: JsonSchema; readonly wrongTimes: readonly string[] },
  ): GeneratedRequest {
    const single = chance(0.5)
    const parts = Array.from({ length: single ? 1 : between(0, MAX_BATCH) }, make)
    const schema = single
      ? parts[0].schema
      : narrowed(batchName, { [name]: list(parts.map(part => part.schema)) }, [name])
    return maybeBroken({ path, ok: 202 }, schema, {
      // A list that is not there makes it one.
      move: broken =>
        isFault(broken) && !(broken.what === 'required' && broken.pointer === `/${name}`) ? broken : undefined,
      more: value =>
        parts.flatMap(({ wrongTimes }, i) =>
          wrongTimes.map(ts => ({
            pointer: single ? '/ts' : `/${name}/${i}/ts`,
            what: 'time',
            wrong: ts,
            value: withTime(value, single ? [] : [name, i], ts),
          })),
        ),
    })
  }

  const reward = () => oneOrMany('/v1/rewards', 'rewards', 'RewardBatch', rewardSchema)

  function activation(): GeneratedRequest {
    return oneOrMany('/v1/activations', 'activations', 'ActivationBatch', () => {
      const candidate = about()
      // Once each: when it was shown first is what counts.
      const decision = candidate === undefined || activated.has(candidate.id) ? undefined : candidate
      const id = decision?.id ?? newId()
      activated.add(id)
      const fields = schemas['ActivationRequest'].properties ?? {}
      const { right, wrong } = times(decision)
      const properties = {
        decisionId: { ...fields['decisionId'], const: id },
        slot: slotSchema(decision),
        ts: { ...fields['ts'], const: right },
      }
      return { schema: narrowed('ActivationRequest', properties, ['decisionId']), wrongTimes: wrong }
    })
  }

  const online = policies.filter(({ mode }) => mode === 'online')

  function flag(): GeneratedRequest {
    const policy = pick(rng, online)
    const properties = { ...policy.context.properties, ...offeredAttribute(policy) }
    const required = [
      ...((policy.context as { required?: readonly string[] }).required ?? []),
      ...Object.keys(offeredAttribute(policy)),
    ]
    const context = { ...policy.context, properties, required, additionalProperties: true }
    const headers: Record<string, string> = chance(0.2) ? { 'idempotency-key': `key-${ids++}` } : {}
    const route = {
      path: `/ofrep/v1/evaluate/flags/${policy.name}`,
      template: '/ofrep/v1/evaluate/flags/{key}',
      headers,
    }
    return maybeBroken(route, narrowed('OfrepRequest', { context }, ['context']), {
      move: broken =>
        anotherId(broken)
          ? undefined
          : broken.pointer === '/context' && broken.what !== 'required'
            ? broken
            : atItsPlace(broken, '', policy),
    })
  }

  function flags(): GeneratedRequest {
    const context = { type: 'object', properties: pick(rng, policies).context.properties, additionalProperties: true }
    const headers: Record<string, string> =
      tag !== undefined && chance(0.3) ? { 'if-none-match': `"other", ${tag}` } : {}
    const schema = narrowed('OfrepRequest', { context }, [])
    // What is wrong in a context is so for one flag or another, and no fault of the request.
    return maybeBroken({ path: '/ofrep/v1/evaluate/flags', headers }, schema, {
      move: broken => (/^(\/context)?$/.test(broken.pointer) ? broken : undefined),
    })
  }

  function look(): GeneratedRequest {
    const get = (path: string, template = path, status = 200): GeneratedRequest => ({
      ...{ method: 'GET', path, template, headers: {} },
      what: 'look',
      status,
    })
    const { name } = pick(rng, policies)
    return pick(rng, [
      get('/healthz'),
      get('/readyz'),
      get('/v1/policies'),
      get(`/v1/policies/${name}`, '/v1/policies/{name}'),
      get(`/v1/policies/${name}s`, '/v1/policies/{name}', 404),
    ])
  }

  /** What is wrong with more than a place of the body. */
  function odd(): GeneratedRequest {
    const policy = pick(rng, policies)
    const body = sampleOf(decideSchema(policy), rng) as DecideBody
    const path = '/v1/decide'
    const right = post({ path }, 'right', body)
    const wrong = (what: string, text: string, status = 400, headers = right.headers): GeneratedRequest => ({
      ...right,
      what,
      text,
      status,
      headers,
    })
    const withHeader = (name: string, value: string) => ({ ...right.headers, [name]: value })
    const text = right.text as string
    const key = `key-${ids++}`
    const { decisionId: _, ...unnamed } = body
    const before = known.filter(({ request }) => request !== undefined)
    const used = before.length === 0 ? undefined : pick(rng, before)
    const other = used?.request && {
      ...used.request,
      context: { ...used.request.context, [used.policy.unit]: `other ${ids++}` },
    }
    const same = newId()
    const twice = [
      { ...body, decisionId: same },
      { ...body, decisionId: same },
    ]
    return pick(rng, [
      {
        ...wrong(
          'a unit that no record could name',
          textOf({ ...body, context: { ...body.context, [policy.unit]: 'u'.repeat(70_000) } }),
        ),
        pointer: `/context/${policy.unit}`,
      },
      wrong('cut off', text.slice(0, between(0, text.length - 1))),
      wrong('followed by more', `${text}}`),
      wrong('too deep', '['.repeat(70) + ']'.repeat(70)),
      wrong(
        'no JSON type',
        text,
        415,
        withHeader('content-type', pick(rng, ['text/plain', 'application/xml', 'application/jsonx'])),
      ),
      {
        ...wrong(
          'another key',
          JSON.stringify({ ...body, decisionId: newId() }),
          400,
          withHeader('idempotency-key', key),
        ),
        pointer: '/decisionId',
      },
      {
        ...wrong(
          'a key that is too long',
          JSON.stringify(unnamed),
          400,
          withHeader('idempotency-key', 'k'.repeat(129)),
        ),
        pointer: '/decisionId',
      },
      wrong('right, by its key', JSON.stringify(unnamed), 200, withHeader('idempotency-key', key)),
      wrong('right, by both', JSON.stringify({ ...body, decisionId: key }), 200, withHeader('idempotency-key', key)),
      {
        ...post({ path: '/v1/decide:batch' }, 'one id twice', { requests: twice }),
        status: 400,
        pointer: '/requests/1/decisionId',
      },
      {
        ...post({ path: '/predict' }, 'too many', { instances: Array(MAX_BATCH + 1).fill({}) }),
        status: 413,
        pointer: '/instances',
      },
      {
        ...post({ path: '/v1/rewards' }, 'too many', {
          rewards: Array(MAX_BATCH + 1).fill({ decisionId: key, value: 1 }),
        }),
        status: 413,
        pointer: '/rewards',
      },
      ...(other === undefined
        ? []
        : [
            { ...wrong('another request under its id', JSON.stringify(other), 409), pointer: '/decisionId' },
            {
              ...post({ path: '/v1/decide:batch' }, 'another request under its id', { requests: [other] }),
              status: 409,
              pointer: '/requests/0/decisionId',
            },
          ]),
      ...(rewards.length > 0 ? [otherValue(pick(rng, rewards))] : []),
      wrong('half a character', JSON.stringify({ ...body, baseline: '\ud800' })),
      wrong('a key twice', text.replace(/}$/, `,"policy":${JSON.stringify(policy.name)}}`)),
      wrong('another charset', text, 415, withHeader('content-type', 'application/json; charset=utf-16')),
    ])
  }

  /** A reward under the id of one that was taken. */
  function otherValue(taken: { readonly value: number }): GeneratedRequest {
    const other = { ...taken, value: taken.value === 0 ? 1 : 0 }
    const request = post({ path: '/v1/rewards' }, 'another reward under its id', other)
    return { ...request, status: 409, pointer: '/rewardId' }
  }

  /** The same once more, as a client sends it that has heard nothing. */
  function again(): GeneratedRequest {
    const { request, answer } = pick(rng, sent)
    return { ...request, what: `again: ${request.what}`, before: answer }
  }

  const kinds: readonly (readonly [share: number, make: () => GeneratedRequest])[] = [
    [0.34, decide],
    [0.08, () => batch('/v1/decide:batch', 'requests')],
    [0.06, () => batch('/predict', 'instances')],
    [0.2, reward],
    [0.08, activation],
    [0.07, flag],
    [0.03, flags],
    [0.02, look],
    [0.07, odd],
  ]

  return {
    next() {
      if (sent.length > 0 && chance(0.05)) return again()
      let left = rng.uniform() * kinds.reduce((sum, [share]) => sum + share, 0)
      for (const [share, make] of kinds) {
        left -= share
        if (left < 0) return make()
      }
      return look()
    },

    answered(request, answer) {
      const by = now()
      const body = answer.status === 200 && request.text !== undefined ? JSON.parse(request.text) : {}
      const learn = (name: string, id: string, slots: number, asked?: DecideBody) => {
        const policy = policies.find(each => each.name === name)
        if (policy !== undefined)
          known.push({ id, policy, by, slots, request: asked?.decisionId === undefined ? undefined : asked })
      }
      const decisions: readonly {
        readonly decisionId: string
        readonly policy: { readonly name: string }
        readonly slots?: readonly object[]
      }[] =
        answer.status === 200
          ? (answer.json?.decisions ?? answer.json?.predictions ?? (request.path === '/v1/decide' ? [answer.json] : []))
          : []
      const asked: readonly DecideBody[] = body.requests ?? body.instances ?? [body]
      for (const [i, { decisionId, policy, slots }] of decisions.entries()) {
        learn(policy.name, decisionId, Math.max(1, slots?.length ?? 0), asked[i])
      }
      const evaluations = answer.json?.flags ?? (request.template.endsWith('{key}') ? [answer.json] : [])
      for (const { key, metadata } of evaluations) if (metadata !== undefined) learn(key, metadata.decisionId, 1)
      if (typeof answer.headers['etag'] === 'string') tag = answer.headers['etag']
      if (request.path === '/v1/rewards' && answer.status === 202) {
        const reward = JSON.parse(request.text as string)
        if (reward.rewardId !== undefined) rewards.push(reward)
      }
      if (mayComeAgain(request)) sent.push({ request, answer })
    },
  }

  /** A decision without an id of its own is made anew, which is no repeat. */
  function mayComeAgain({ path, text, before, status }: GeneratedRequest): boolean {
    if (before !== undefined || (status !== 200 && status !== 202)) return false
    return path === '/v1/decide' ? text?.includes('"decisionId"') === true : /\/(rewards|activations)$/.test(path)
  }
}
