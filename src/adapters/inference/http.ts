/** A server's REST, over the connections that Node's fetch keeps open. */
import { ModelFailure } from '../../models/runtime.ts'
import { asking, firstLine, MOST_BYTES } from './failures.ts'
import { fieldsOf, parseJson } from './json.ts'

/** Where requests go, and who says so. */
export interface Site {
  /** Without a slash at its end. */
  readonly base: string
  /** Of a request to this URL; credentials are. */
  headers?(url: string): Promise<Headers>
}

export interface Reply {
  readonly status: number
  readonly json: unknown
}

/** The name and port of a server, for messages: what else is in its address may be nobody's business. */
export const hostOf = (url: string) => new URL(url).host

/** The answer to a GET, or to a POST where there is a body. A ModelFailure where none came; its status is the caller's to judge. */
export function ask({ base, headers }: Site, path: string, signal: AbortSignal, body?: string): Promise<Reply> {
  const host = hostOf(base)
  return asking(host, signal, async own => {
    const url = `${base}${path}`
    const all = new Headers(await headers?.(url))
    all.set('accept', 'application/json')
    if (body !== undefined) all.set('content-type', 'application/json')
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: all,
      body,
      signal: own,
      // Whoever has the credentials of a request is whom they are for.
      redirect: 'manual',
    })
    return { status: response.status, json: parseJson(await textOf(host, response)) }
  })
}

/** The fields of the object that a server answers. A ModelFailure for any other answer; transient where the server says that it has failed. */
export async function askFor(site: Site, path: string, signal: AbortSignal, body?: string) {
  const { status, json } = await ask(site, path, signal, body)
  const host = hostOf(site.base)
  if (status !== 200) {
    const { error } = fieldsOf(json)
    const said = firstLine(typeof error === 'string' ? error : fieldsOf(error)['message'])
    throw new ModelFailure('answer', `${host} answers HTTP ${status}${said}`, { transient: status >= 500 })
  }
  if (typeof json !== 'object' || json === null) throw new ModelFailure('answer', `${host} answers no JSON`)
  return fieldsOf(json)
}

/** Does it answer 200, and with what we want? Never rejects. */
export async function says(
  site: Site,
  path: string,
  signal: AbortSignal,
  wanted: (json: unknown) => boolean = () => true,
): Promise<boolean> {
  try {
    const { status, json } = await ask(site, path, signal)
    return status === 200 && wanted(json)
  } catch {
    return false
  }
}

async function textOf(host: string, { body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new ModelFailure('answer', `${host} answers more than ${MOST_BYTES} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
