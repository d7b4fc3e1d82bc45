import { bundleShape } from '../generated/bundle-shape.ts'
import { BUNDLE_SCHEMA } from '../generated/names.ts'
import type { Bundle as BundleFile } from '../generated/types.ts'
import type { PolicySpec } from '../kinds.ts'
import { documentFaults, quoted } from '../schema/document.ts'
import { type ContextSchema, contextSchema } from './context-schema.ts'
import { canonicalJson, resourceDigest, textDigest } from './digest.ts'
import { createPolicy, type Policy } from './policy.ts'
import { loadSnapshot, type Snapshot } from './snapshot.ts'
import type { Faults } from './snapshot-format.ts'

/** What a server loads: a policy, whose spec is what its file says after defaults, what it has learnt, and what its requests look like. */
export type Bundle = Omit<BundleFile, 'policy' | 'schemas'> & {
  readonly policy: { readonly name: string; readonly digest: string; readonly spec: PolicySpec }
  readonly schemas: { readonly context: ContextSchema }
}

/** The same policy, snapshot and version of dap make the same bundle, whenever and wherever. */
export function createBundle(policy: Policy, snapshot: Snapshot | null, dap: string): Bundle {
  const { name, digest, spec } = policy
  const content = {
    dap,
    policy: { name, digest, spec },
    schemas: { context: contextSchema(spec.context) },
    snapshot: snapshot && (JSON.parse(canonicalJson(snapshot)) as Snapshot),
  }
  return { schema: BUNDLE_SCHEMA, digest: contentDigest({ schema: BUNDLE_SCHEMA, ...content }), ...content }
}

function contentDigest(content: Readonly<Record<string, unknown>>): string {
  return textDigest(JSON.stringify(content))
}

/** Text of a bundle's file. */
export function bundleText(bundle: Bundle): string {
  return `${JSON.stringify(bundle, null, 2)}\n`
}

/** A bundle that has been read: the policy is ready to decide. */
export interface OpenBundle {
  readonly json: Bundle
  readonly policy: Policy
  /** Digest of its snapshot. */
  readonly snapshot: string | null
  readonly digest: string
}

/** A bundle from its JSON, or what is wrong with it. Never throws. */
export function readBundle(json: unknown): OpenBundle | Faults {
  const checked = checkBundle(json)
  return 'faults' in checked ? checked : openBundle(checked.bundle)
}

/**
 * Is this JSON value a bundle, and does its content have the digests that it names? Whether the policy's spec means anything is for
 * `openBundle`, and whether it is valid for the validator of repositories.
 */
export function checkBundle(json: unknown): { readonly bundle: Bundle } | Faults {
  const faults = documentFaults(json, 'bundle', BUNDLE_SCHEMA, bundleShape)
  if (faults.length > 0) return { faults }
  const bundle = json as Bundle
  const { digest, ...content } = bundle
  const { policy } = bundle
  try {
    const actual = contentDigest(content)
    if (digest !== actual) return { faults: [`the bundle's content is ${actual}, and it says ${quoted(digest)}`] }
    const expected = resourceDigest('Policy', policy.name, policy.spec)
    if (policy.digest === expected) return { bundle }
    return { faults: [`the policy's content is ${expected}, and the bundle says ${quoted(policy.digest)}`] }
  } catch (error) {
    return faultOf(error)
  }
}

/** Makes the policy of a bundle, with its snapshot. */
export function openBundle(bundle: Bundle): OpenBundle | Faults {
  const { name, spec, digest } = bundle.policy
  try {
    const policy = createPolicy(name, spec, digest)
    if (canonicalJson(bundle.schemas.context) !== canonicalJson(contextSchema(spec.context))) {
      return { faults: ["`schemas.context` is not the schema of the policy's context"] }
    }
    if (bundle.snapshot === null) return { json: bundle, policy, snapshot: null, digest: bundle.digest }
    const loaded = loadSnapshot(policy, bundle.snapshot)
    if ('faults' in loaded) return { faults: loaded.faults.map(fault => `the snapshot does not fit: ${fault}`) }
    return { json: bundle, policy, snapshot: loaded.digest, digest: bundle.digest }
  } catch (error) {
    return faultOf(error)
  }
}

/** The kernel is written for valid specs: what it stumbles over in another one is the bundle's fault. */
function faultOf(error: unknown): Faults {
  return { faults: [`the bundle cannot be read: ${error instanceof Error ? error.message : String(error)}`] }
}
