import { join } from 'node:path'
import { execa } from 'execa'
import { cachedFor } from './cache.ts'

/** Of Debian, whatever revision of the package: 19 MB. Elsewhere promtool is taken from PATH, whatever its version. */
const PACKAGE = 'prometheus=2.42.*'

/** Prometheus' own checker of metrics, rules and their tests. */
export async function promtool(): Promise<string> {
  if ((await execa('promtool', ['--version'], { reject: false })).exitCode === 0) return 'promtool'
  const folder = await cachedFor(PACKAGE, async made => {
    const download = () => execa('apt-get', ['download', '--quiet', PACKAGE], { cwd: made })
    // A machine that is new has no list of packages yet.
    await download().catch(async () => {
      await execa('apt-get', ['update', '--quiet'])
      await download()
    })
    const unpack = 'dpkg-deb --fsys-tarfile prometheus_*.deb | tar --extract ./usr/bin/promtool && rm prometheus_*.deb'
    await execa('bash', ['-o', 'pipefail', '-ec', unpack], { cwd: made })
  })
  return join(folder, 'usr/bin/promtool')
}
