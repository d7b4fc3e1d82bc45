import { X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { createTls, type Identity, identityFault, type Tls } from '../../serve/door/tls.ts'
import type { Tell } from '../../serve/events.ts'
import { follow } from '../../serve/follow.ts'

const MAX_BYTES = 1 << 20

/** TLS by the certificate and the key in these files, as they are now. A DapError where they cannot be used at the start. */
export async function followCertificate(
  host: Host,
  paths: { readonly [part in keyof Identity]: string },
  pollMs: number,
  tell: Tell,
): Promise<{ readonly tls: Tls; readonly stop: () => void }> {
  const { files, cwd } = host
  const places = { cert: resolve(cwd, paths.cert), key: resolve(cwd, paths.key) }
  const held: { tls?: Tls } = {}
  let validTo = ''

  async function take(): Promise<void> {
    const identity = { cert: await files.read(places.cert, MAX_BYTES), key: await files.read(places.key, MAX_BYTES) }
    const fault = identityFault(identity)
    if (fault !== undefined) throw new DapError(...told(fault, paths))
    validTo = new Date(new X509Certificate(identity.cert).validTo).toISOString()
    if (held.tls === undefined) held.tls = createTls(identity)
    else held.tls.take(identity)
  }

  const stop = await follow(
    { stamp: async () => `${await files.stamp(places.cert)} ${await files.stamp(places.key)}`, take },
    pollMs,
    fault => {
      if (fault === undefined) tell('info', 'certificate', { validTo })
      else
        tell('error', 'certificate failed', {
          reason: fault.message,
          hint: fault instanceof DapError ? fault.hint : undefined,
        })
    },
  )
  return { tls: held.tls as Tls, stop }
}

function told(
  { of, why }: NonNullable<ReturnType<typeof identityFault>>,
  { cert, key }: { readonly [part in keyof Identity]: string },
): [message: string, options: { readonly hint: string }] {
  switch (of) {
    case 'cert':
      return [`the certificate \`${cert}\` cannot be used: ${why}`, { hint: 'PEM: -----BEGIN CERTIFICATE-----' }]
    case 'key':
      return [
        `the key \`${key}\` cannot be used: ${why}`,
        { hint: 'PEM, without a pass phrase: -----BEGIN PRIVATE KEY-----' },
      ]
    default:
      return [
        `\`${cert}\` and \`${key}\` do not belong together: ${why}`,
        { hint: 'the key must be the one that the certificate was made for' },
      ]
  }
}
