import type { Faults } from '../faults.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'
import { type HttpRoute, jsonReply, parseBody } from './http.ts'

/** The emulator's own interface: what is to go wrong. */
export function adminRoute(faults: () => Faults): HttpRoute {
  return async ({ verb, path, body }) => {
    if (path !== '/admin/faults') return undefined
    const said = parseBody(body)
    if (verb === 'POST') {
      const wanted = Array.isArray(said) ? said : [said]
      return jsonReply(200, { ids: wanted.map(fault => faults().add(fault)) })
    }
    if (verb === 'DELETE') faults().clear()
    else if (verb !== 'GET') throw new RpcError(CODES.UNIMPLEMENTED, '/admin/faults takes GET, POST and DELETE')
    return jsonReply(200, {
      faults: faults()
        .list()
        .map(fault => ({ ...fault })),
    })
  }
}
