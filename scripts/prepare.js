/** Ends `npm ci` of a checkout. With `--omit=dev` there is nothing to build with, and what was built before stays. */
import { existsSync } from 'node:fs'

if (existsSync(new URL('../node_modules/esbuild', import.meta.url))) await import('./build.ts')
else process.stderr.write('nothing is built: that takes the development dependencies\n')
