import { dirname, join, relative, resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { shortDigest } from '../digest.ts'
import { ExitCode } from '../errors.ts'
import { BUNDLE_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import { bundleText, createBundle } from '../policy/bundle.ts'
import { createPolicy, type Policy } from '../policy/policy.ts'
import { type Snapshot, snapshotDigest, takeSnapshot } from '../policy/snapshot.ts'
import type { BundleResult } from '../results.ts'
import { bundleResultText } from '../ui/bundle.ts'
import { bundledModel } from './opening/model-shelf.ts'
import { restoreSnapshot, usualSnapshot } from './opening/policies.ts'
import { dataFile, openRepository, requireResource, requireValid } from './opening/repository.ts'

interface Options {
  readonly policy: string | undefined
  readonly snapshot?: string
  readonly migrate: boolean
  readonly out: string
}

export const bundleCommand = defineCommand<Options, BundleResult>({
  declare: command =>
    command
      .argument('[policy]', 'name of a Policy; may be left out when there is only one')
      .option('--snapshot <file>', 'what it has learnt; default: snapshots/POLICY.json, if there is one')
      .option('--migrate', 'take a snapshot of other actions, too: what was learnt follows its action')
      .option('--out <dir>', 'where the folder of the bundle goes; default: bundles')
      .addHelpText(
        'after',
        '\nWrites DIR/POLICY-DIGEST/bundle.json: all that `dap serve --bundle` needs. The same inputs give the same bytes.\n\nexit codes: 0 written, 1 the policy has errors or the snapshot is not its own, 3 usage',
      ),

  options: ([policy], flags) => ({
    policy,
    snapshot: flags['snapshot'] as string | undefined,
    migrate: flags['migrate'] === true,
    out: (flags['out'] as string | undefined) ?? 'bundles',
  }),

  async run(options, host) {
    const opened = await openRepository(host)
    const { name, spec, digest, file } = requireResource(opened, 'Policy', options.policy)
    requireValid(opened, [file])
    const policy = createPolicy(name, spec, digest)
    const path =
      options.snapshot === undefined ? await usualSnapshot(host, opened, name) : resolve(host.cwd, options.snapshot)
    const learnt = path === undefined ? undefined : await bring(host, policy, path, options.migrate)
    const bundle = createBundle(policy, learnt?.snapshot ?? null, host.version)
    const written = join(resolve(host.cwd, options.out), `${name}-${shortDigest(bundle.digest)}`, 'bundle.json')
    const { runtime } = spec.scorer ?? {}
    if (runtime?.type === 'onnx') {
      const model = await host.files.bytes(await dataFile(host, opened, runtime.file))
      await host.files.write(join(dirname(written), bundledModel(runtime.file)), model)
    }
    await host.files.write(written, bundleText(bundle))
    return {
      schema: BUNDLE_RESULT_SCHEMA,
      path: relative(host.cwd, written),
      digest: bundle.digest,
      policy: { name, digest },
      snapshot: learnt === undefined ? null : { path: learnt.path, digest: snapshotDigest(learnt.snapshot) },
      ...(learnt?.migrated === undefined ? {} : { migrated: learnt.migrated }),
    }
  },

  text: bundleResultText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** The snapshot of a file as the policy can load it: itself, or where actions changed what was carried over. */
async function bring(
  host: Host,
  policy: Policy,
  path: string,
  migrate: boolean,
): Promise<{ readonly path: string; readonly snapshot: Snapshot; readonly migrated?: BundleResult['migrated'] }> {
  const shown = relative(host.cwd, path)
  const { snapshot, loaded } = await restoreSnapshot(host, policy, path, migrate)
  if (loaded.migrated === undefined) return { path: shown, snapshot }
  const { data } = snapshot
  return { path: shown, snapshot: takeSnapshot(policy, { dap: host.version, data }), migrated: loaded.migrated }
}
