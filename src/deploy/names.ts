/** Ids are computed from what is deployed, so nothing has to remember them. */
import { hash } from 'node:crypto'
import { shortDigest } from '../digest.ts'
import { canonicalJson } from '../policy/digest.ts'

const ID_LENGTH = 63

/** `dap-shop-offer-3fa9c1d2`: a valid id of an endpoint. */
export function endpointId(project: string, environment: string, deployment: string): string {
  const suffix = `-${sha256([project, environment, deployment]).slice(0, 8)}`
  const name = deployment.toLowerCase().replace(/[^a-z0-9-]/g, '-')
  return `dap-${name.slice(0, ID_LENGTH - 4 - suffix.length)}${suffix}`
}

/** The rules of model ids are wider: the same id will do. */
export const modelId = endpointId

/** Ten digits, the first not 0. */
export function deployedModelId(digest: string): string {
  return String(1e9 + (Number.parseInt(sha256(digest).slice(0, 13), 16) % 9e9))
}

/** The object of a bundle, by its content: `dap/bundles/shop-offer-0123456789ab/bundle.json`. */
export function bundleObject(policy: string, digest: string): string {
  return `${BUNDLES}${policy}${bundleSuffix(digest)}`
}

/** What the name of a bundle's object ends with, whatever its policy is called; of the digest as labels have it, too. */
export const bundleSuffix = (digest: string) => `-${shortDigest(digest)}/bundle.json`

export const BUNDLES = 'dap/bundles/'

/** The first 32 hex digits of a digest, for labels: those have 63 characters. */
export function label32(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 32)
}

/** Any text as the value of a label. */
export function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 63)
}

const sha256 = (value: unknown) => hash('sha256', canonicalJson(value), 'hex')
