/** The part of a hook of OpenFeature's SDKs, for servers and for browsers, that dap needs. */
export interface ActivationHook {
  after(context: unknown, details: { readonly flagMetadata?: Readonly<Record<string, unknown>> }): void
}

/**
 * A hook that says of each evaluation that its decision was shown. OpenFeature runs `after` only where the caller got what was decided:
 * not for a flag of another type than the one that was asked for, nor for any other error.
 */
export function activationHook(client: { activate(decisionId: string): void }): ActivationHook {
  return {
    after(_, { flagMetadata = {} }) {
      // Other providers' flags may have a field of this name, but none of dap's digests.
      const { decisionId, policyDigest } = flagMetadata
      if (typeof decisionId === 'string' && typeof policyDigest === 'string') client.activate(decisionId)
    },
  }
}
