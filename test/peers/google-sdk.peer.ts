/** Google's Python SDK, unpatched, below `dap emulator exec`, where it takes the emulator for Google's cloud. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { pythonWith } from './python.ts'

const PYTHON = new URL('python/', import.meta.url).pathname
const DAP = join(PACKAGE_ROOT, 'bin/dap.js')

/** Functions of the program, in the order in which they are called. */
const STEPS = [
  'put_get_list_and_delete_objects',
  'create_a_shared_and_a_dedicated_endpoint',
  'upload_a_model_and_a_version_of_it',
  'find_versions_and_move_aliases',
  'deploy_both_versions',
  'split_the_traffic',
  'predict',
  'predict_raw',
  'predict_over_grpc_at_the_dedicated_host',
  'be_refused_at_the_wrong_host',
  'be_told_what_is_not_emulated',
  'reach_nothing_else',
  'trust_certificates_in_every_detail',
  'undeploy',
  'delete_versions_models_and_endpoints',
]

/** Longer than any of them takes on a machine that has much else to do. */
const LIMIT_MS = 60_000

interface Said {
  readonly step?: string
  readonly error?: string
}

describe("Google's Python SDK", () => {
  let absent = ''
  let folder = ''
  let end = async () => {}
  /** What it says of its next step, or how it ended. */
  let next: () => Promise<Said>

  beforeAll(async () => {
    const python = await pythonWith(join(PYTHON, 'google.txt')).catch((error: Error) => {
      // Without uv, Python or a package index nothing can be shown, which is no excuse where everything has to be.
      if (process.env['CI']) throw error
      absent = error.message.split('\n')[0]
      return undefined
    })
    if (python === undefined) return
    folder = await mkdtemp(join(tmpdir(), 'dap-google-sdk-'))
    await execa(process.execPath, [DAP, 'init', 'shop', '--template', 'bandit'], { cwd: folder })
    const shop = join(folder, 'shop')
    const { stdout } = await execa(process.execPath, [DAP, 'bundle', 'shop-offer'], { cwd: shop })
    const program = [python, join(PYTHON, 'google_sdk.py'), join(shop, stdout.split('\n')[0]), ...STEPS]
    const child = execa(process.execPath, [DAP, 'emulator', 'exec', '--fast', '--', ...program], {
      ...{ cwd: shop, reject: false, stdin: 'ignore', buffer: { stdout: false, stderr: true } },
      env: { PYTHONUNBUFFERED: '1' },
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    next = async () => {
      for (;;) {
        const { value, done } = await lines.next()
        if (done) return { error: `it ended with ${(await child).exitCode}\n${(await child).stderr}` }
        if (value.startsWith('{"step"')) return JSON.parse(value) as Said
      }
    }
    end = async () => {
      child.kill('SIGTERM')
      await child
      await rm(folder, { recursive: true, force: true })
    }
  }, 300_000)

  afterAll(() => end())

  it.for(STEPS)('%s', { timeout: LIMIT_MS }, async (step, { skip }) => {
    if (absent !== '') skip(`not tried, since its packages cannot be had here: ${absent}`)
    expect(await next()).toEqual({ step })
  })
})
