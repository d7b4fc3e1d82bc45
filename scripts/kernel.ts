/** Bundles what an entry exports of the kernel (`src/policy`, `src/math`) for engines that have ECMAScript and no host. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** One script, after which the global `kernel` has what the entry, a path, exports. */
export async function kernelScript(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'kernel',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    inject: [fileURLToPath(new URL('./kernel-host.ts', import.meta.url))],
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  })
  return outputFiles[0].text
}
