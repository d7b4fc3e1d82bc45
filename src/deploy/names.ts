/** Ids are computed from whose they are and what is deployed, so nothing has to remember them; one that was given once is kept. */
import { hash } from 'node:crypto'
import { shortDigest } from '../digest.ts'
import type { Place } from '../generated/types.ts'
import { canonicalJson } from '../policy/digest.ts'

const ID_LENGTH = 63

/** Whose a deployment is: names may be those of another repository as well, the owner's id is not. */
export interface Identity {
  /** The `projectId` of the repository. */
  readonly owner: string
  readonly environment: string
  readonly deployment: string
}

export type IdForm = 'named' | 'numeric'

/** `dap-shop-offer-3fa9c1d2`, a valid id of an endpoint; or ten digits, as Terraform's provider wants them. */
export function endpointId({ owner, environment, deployment }: Identity, form: IdForm = 'named'): string {
  const whose = [owner, environment, deployment]
  return form === 'numeric' ? tenDigits(sha256(whose)) : named(deployment, whose)
}

/** The rules of model ids are wider, and nobody wants digits: always by name. */
export const modelId = (identity: Identity): string => endpointId(identity)

/** Whether a model's id is one that dap gives: its own, or those of before. */
export const isModelId = (id: string): boolean => /^dap-.+-[0-9a-f]{8}$/.test(id)

/** What the endpoint and the model were called before repositories had ids. */
export function formerId(project: string, environment: string, deployment: string): string {
  return named(deployment, [project, environment, deployment])
}

function named(deployment: string, whose: readonly string[]): string {
  const suffix = `-${sha256(whose).slice(0, 8)}`
  const name = deployment.toLowerCase().replace(/[^a-z0-9-]/g, '-')
  return `dap-${name.slice(0, ID_LENGTH - 4 - suffix.length)}${suffix}`
}

export function deployedModelId(digest: string): string {
  return tenDigits(sha256(digest))
}

/** The first is not 0. */
const tenDigits = (hex: string) => String(1e9 + (Number.parseInt(hex.slice(0, 13), 16) % 9e9))

/** The object of a bundle, by its content: `dap/bundles/shop-offer-0123456789ab/bundle.json`. */
export function bundleObject(policy: string, digest: string): string {
  return `${BUNDLES}${policy}${bundleSuffix(digest)}`
}

/** What the name of a bundle's object ends with, whatever its policy is called; of the first 32 digits of the digest, too. */
export const bundleSuffix = (digest: string) => `-${shortDigest(digest)}/bundle.json`

export const BUNDLES = 'dap/bundles/'

/** The folder of the bucket that says where an environment was ever deployed: regions and cloud projects change, and nothing lists them all. */
export function placesFolder({ projectId, environment }: { readonly projectId: string; readonly environment: string }) {
  return `dap/places/${projectId}/${environment}/`
}

/** `dap/places/q7m2vx4t9kd3hs8w/prod/games-ml/us-central1` */
export const placeObject = (folder: string, { project, region }: Pick<Place, 'project' | 'region'>): string =>
  `${folder}${project}/${region}`

/** Two places are one where their endpoints are. */
export const samePlace = (a: Place, b: Place): boolean =>
  a.target === b.target && a.project === b.project && a.region === b.region

/** The first 32 hex digits of a digest: as much as every target has room for. */
export function digest32(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 32)
}

export const digest32Of = (value: unknown): string => sha256(value).slice(0, 32)

const sha256 = (value: unknown) => hash('sha256', canonicalJson(value), 'hex')
