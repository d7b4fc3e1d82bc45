/** OpenFeature's Python SDK beside a real `dap serve`, with the hook that docs/server.md shows, to the letter. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it, onTestFinished } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'
import { openShop } from './shop.ts'

const before = (url: string) => `
import json
import requests
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.hook import Hook

dap = "${url}"
api.set_provider(OFREPProvider(dap))
`

const after = `
client = api.get_client()
context = EvaluationContext("p7", {"platform": "ios", "level": 41})
shown = client.get_string_details("shop-offer", "mine", context)
other = client.get_boolean_details("shop-offer", False, context)
print(json.dumps({"value": shown.value, "reason": shown.reason, "other": other.value, "error": other.error_code}))
`

it("OpenFeature's Python SDK activates what it shows, and no flag of another type", async context => {
  const python = await needs(context, () => pythonWith(new URL('python/openfeature.txt', import.meta.url).pathname))
  const page = await readFile(join(PACKAGE_ROOT, 'docs/server.md'), 'utf8')
  const [, hook] = /```python\n([^`]*)```/.exec(page) ?? []
  const shop = await openShop()
  onTestFinished(async () => void (await shop.end()))
  const { stdout } = await execa(python, ['-c', before(shop.url) + hook + after])
  expect(JSON.parse(stdout)).toEqual({
    value: expect.stringMatching(/^(none|gold-small|bundle)$/),
    reason: expect.stringMatching(/^(SPLIT|TARGETING_MATCH)$/),
    other: false,
    error: 'TYPE_MISMATCH',
  })
  expect(await shop.end()).toMatchObject({
    code: 0,
    check: { passed: true, decisions: 2, activations: 1, joined: 1, faults: [] },
  })
})
