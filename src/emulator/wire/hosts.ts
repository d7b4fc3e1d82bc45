/** The names of Google's that the emulator answers to, over TLS. */
const HOSTS: readonly RegExp[] = [
  /^([a-z0-9-]+-)?aiplatform\.googleapis\.com$/,
  /^[a-z0-9_-]+\.[a-z0-9-]+\.prediction\.vertexai\.goog$/,
  /^(oauth2|storage|www)\.googleapis\.com$/,
]

/** For people, in a refusal and in the documentation. */
export const HOST_NAMES =
  '*-aiplatform.googleapis.com, *.prediction.vertexai.goog, oauth2.googleapis.com, storage.googleapis.com and www.googleapis.com'

export const isEmulatedHost = (name: string) => HOSTS.some(pattern => pattern.test(name.toLowerCase()))

/** The host of one dedicated endpoint, as its `dedicatedEndpointDns` says it. */
export const isDedicatedHost = (name: string) => name.endsWith('.prediction.vertexai.goog')

/** The host that all endpoints of a region share. */
export const isSharedHost = (name: string) => name.endsWith('aiplatform.googleapis.com')

/** What a request says that it is for, without a port, in lower case. */
export const hostName = (authority: string | undefined) => (authority ?? '').replace(/:\d+$/, '').toLowerCase()
