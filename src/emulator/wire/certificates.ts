import 'reflect-metadata' // for what x509 is made with
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** Certificates of the names that the emulator answers to, by an authority that lives as long as its process. */
export interface Certificates {
  /** The authority's own, in PEM: who trusts it can talk to the emulator. Its private key is in this process's memory alone. */
  readonly authority: string
  /** What a server shows who asks for that name, or address. */
  identityOf(name: string): Promise<Identity>
}

/** In PEM. */
export interface Identity {
  readonly key: string
  readonly cert: string
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY_MS = 86_400_000
/** Names that are kept; every dedicated endpoint has one of its own. */
const MOST = 100

export async function createCertificates(): Promise<Certificates> {
  const createKeys = () => crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const [own, server] = await Promise.all([createKeys(), createKeys()])
  // A clock that is somewhat late is no reason to refuse them, and no emulator runs for a year.
  const validity = () => ({ notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 365 * DAY_MS) })
  const { BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags, SubjectKeyIdentifierExtension } = x509
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: 'CN=dap emulator', keys: own, signingAlgorithm: EC, ...validity() },
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(own.publicKey),
    ],
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', server.privateKey), 'PRIVATE KEY')

  async function create(name: string): Promise<Identity> {
    const certificate = await x509.X509CertificateGenerator.create({
      ...{ issuer: authority.subject, publicKey: server.publicKey, signingKey: own.privateKey, signingAlgorithm: EC },
      ...{ subject: 'CN=dap emulator, a server', ...validity() },
      extensions: [
        new x509.SubjectAlternativeNameExtension([{ type: isIP(name) ? 'ip' : 'dns', value: name }]),
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(own.publicKey),
        await SubjectKeyIdentifierExtension.create(server.publicKey),
      ],
    })
    return { key, cert: certificate.toString('pem') }
  }

  const identities = new Map<string, Promise<Identity>>()
  return {
    authority: `${authority.toString('pem')}\n`,
    identityOf(name) {
      const found = identities.get(name) ?? create(name)
      identities.delete(name)
      identities.set(name, found) // The last of the map is the one that was asked for last.
      if (identities.size > MOST) identities.delete(identities.keys().next().value as string)
      return found
    },
  }
}
