import { generateKeyPair } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What leads Google's clients, in whatever language, to an emulator that they take for Google's cloud. */
export interface ClientFiles {
  /** The certificate of the emulator's authority. */
  readonly certificate: string
  /** Sets the variables in a shell that reads it. */
  readonly script: string
  readonly variables: Readonly<Record<string, string>>
}

/** What never goes through a proxy. Nothing else is left out: a name of Google's here would lead to the real one. */
const LOCAL = 'localhost,127.0.0.1,::1'

/** Writes them below an emulator's data folder. `own` are the variables that lead clients there without TLS. */
export async function writeClientFiles(
  emulator: { readonly data: string; readonly url: string; readonly certificate: string },
  own: Readonly<Record<string, string>>,
): Promise<ClientFiles> {
  const folder = join(emulator.data, 'clients')
  const [certificate, credentials, script] = ['ca.pem', 'credentials.json', 'environment.sh'].map(name =>
    join(folder, name),
  )
  const variables = {
    ...own,
    ...trusting(certificate),
    ...proxied(emulator.url),
    ...{ GOOGLE_APPLICATION_CREDENTIALS: credentials },
  }
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
  await mkdir(folder, { recursive: true })
  await writeFile(certificate, emulator.certificate)
  await writeFile(credentials, `${JSON.stringify(await serviceAccount(), null, 2)}\n`)
  await writeFile(script, `${lines.join('\n')}\n`)
  return { certificate, script, variables }
}

/** The names by which OpenSSL, Python's requests, gRPC, curl and Node know whom to trust. All but Node's trust nobody else then. */
const trusting = (certificate: string) => ({
  SSL_CERT_FILE: certificate,
  REQUESTS_CA_BUNDLE: certificate,
  CURL_CA_BUNDLE: certificate,
  GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: certificate,
  NODE_EXTRA_CA_CERTS: certificate,
})

/** Some clients read one spelling and some the other; gRPC has names of its own, which go first; Node has to be asked to read any. */
function proxied(url: string): Record<string, string> {
  return {
    ...{ HTTPS_PROXY: url, https_proxy: url, grpc_proxy: url, NODE_USE_ENV_PROXY: '1' },
    ...{ NO_PROXY: LOCAL, no_proxy: LOCAL, no_grpc_proxy: LOCAL },
  }
}

/** Credentials that are good for the emulator alone: nobody else knows the account, and its key is new. */
async function serviceAccount(): Promise<object> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return {
    type: 'service_account',
    project_id: 'dap-emulator',
    private_key_id: 'dap-emulator',
    private_key: privateKey,
    client_email: 'dap@dap-emulator.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: 'https://oauth2.googleapis.com/token',
  }
}
