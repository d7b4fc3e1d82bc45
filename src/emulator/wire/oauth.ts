import { type HttpRoute, jsonReply } from './http.ts'

const HOUR = 3600
/** What a service account, and a person, ask for a token with. */
const GRANTS = ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'refresh_token']

/** Google's token endpoint: a token for whoever asks. Nobody here is asked for one, but a client without a token sends nothing. */
export function tokenRoute(): HttpRoute {
  return async ({ verb, path, body }) => {
    if (path !== '/token' && path !== '/oauth2/v4/token') return undefined
    if (verb !== 'POST') return jsonReply(405, { error: 'invalid_request', error_description: 'it takes POST' })
    const grant = new URLSearchParams(body.toString('utf8')).get('grant_type') ?? ''
    if (!GRANTS.includes(grant))
      return jsonReply(400, { error: 'unsupported_grant_type', error_description: `one of ${GRANTS.join(', ')}` })
    return jsonReply(200, { access_token: 'dap-emulator', expires_in: HOUR, token_type: 'Bearer' })
  }
}
