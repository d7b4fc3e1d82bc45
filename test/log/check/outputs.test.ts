import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../../src/kinds.ts'
import { createLogCheck, type LogCheckResult } from '../../../src/log/check/check.ts'
import type { DecisionRecord } from '../../../src/log/records/records.ts'
import { createLogStats } from '../../../src/log/stats/stats.ts'
import { shortFloat } from '../../../src/policy/model-outputs.ts'
import { createPolicy } from '../../../src/policy/policy.ts'
import { BY_SCORES, brokenRuntime, NEURAL_LINEAR, playModel, scorer, tanhRuntime } from '../../support/played-models.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`
const made = (spec: PolicySpec) => createPolicy('p', spec, DIGEST)

const recordsOf = async (spec: PolicySpec, width: number, runtime = tanhRuntime(width)) =>
  (await playModel(made(spec), runtime, 30)).map(({ record }) => record)

function check(records: readonly DecisionRecord[], spec?: PolicySpec): LogCheckResult {
  const policies = new Map(spec === undefined ? [] : [[DIGEST, { policy: made(spec), wait: 1000 }]])
  const log = createLogCheck(policies)
  for (const [i, record] of records.entries()) log.line('log', i + 1, JSON.stringify(record))
  log.endOfFile()
  return log.finish()
}

const messages = (result: LogCheckResult) =>
  result.faults.flatMap(({ code, examples }) => examples.map(({ message }) => `${code}: ${message}`))

describe('what records say of a Model', () => {
  it('is right as a server logs it', async () => {
    for (const [spec, width] of [
      [BY_SCORES, 1],
      [NEURAL_LINEAR, 3],
    ] as const) {
      expect(check(await recordsOf(spec, width), spec)).toMatchObject({ decisions: 30, faults: [], passed: true })
      expect(check(await recordsOf(spec, width))).not.toHaveProperty('withoutOutputs')
    }
  })

  it('is as many float32 numbers as the actions need', async () => {
    const [record] = await recordsOf(NEURAL_LINEAR, 3)
    const { eligible } = record
    const model = record.model as NonNullable<DecisionRecord['model']>
    const outputs = model.outputs ?? []
    const cases: readonly (readonly [string, DecisionRecord['model']])[] = [
      [
        `outputs: ${outputs.length - 1} outputs of the Model, and ${outputs.length} by its width and the ${eligible.length} eligible actions`,
        { ...model, outputs: outputs.slice(1) },
      ],
      [
        'outputs: `model.outputs[1]` is 0.12345678901234, which is no float32',
        { ...model, outputs: outputs.map((x, i) => (i === 1 ? 0.12345678901234 : x)) },
      ],
      ['outputs: the outputs of the Model `net` are missing', { ...model, outputs: undefined }],
      [`outputs: the policy decides by what the Model \`net\` gives, and nothing of that is in the record`, undefined],
      [
        `outputs: the Model is \`net\` ${DIGEST}, and the policy's \`net\` ${model.digest}`,
        { ...model, digest: DIGEST },
      ],
      [
        'outputs: the Model gave nothing (`timeout`), and the record is served by `policy`',
        { ...model, outputs: undefined, failure: 'timeout' },
      ],
    ]
    for (const [message, changed] of cases)
      expect(messages(check([{ ...record, model: changed }], NEURAL_LINEAR))).toContain(message)
    const { scorer: _, ...plain } = { ...BY_SCORES, algorithm: { learner: { type: 'uniform' } } } as PolicySpec
    expect(messages(check([record], plain as PolicySpec))).toContain(
      'outputs: the policy has no Model, and the record has outputs of `net`',
    )
  })

  it('may have all digits of a float32, or the fewest', () =>
    fc.assert(
      fc.asyncProperty(fc.float({ noNaN: true, min: -1, max: 1 }), async x => {
        const [record] = await recordsOf({ ...BY_SCORES, actions: [{ id: 'a', features: { price: 1 } }] }, 1)
        for (const number of [x, shortFloat(x)]) {
          const changed = { ...record, model: { ...record.model!, outputs: [number] } }
          expect(messages(check([changed]))).toEqual([])
        }
      }),
      { numRuns: 20 },
    ))

  it('may be left out, which is said once', async () => {
    const spec = { ...BY_SCORES, scorer: scorer({ type: 'value' }, { log: false }) }
    expect(check(await recordsOf(spec, 1), spec)).toMatchObject({ faults: [], withoutOutputs: 30, passed: true })
  })

  it('is counted where it said nothing', async () => {
    const stats = createLogStats()
    const failing = await recordsOf(BY_SCORES, 1, brokenRuntime as ReturnType<typeof tanhRuntime>)
    const fine = await recordsOf(BY_SCORES, 1)
    const records = [...failing.slice(0, 10), ...fine.slice(10)]
    expect(check(records, BY_SCORES).faults).toEqual([])
    for (const record of records) stats.decision(record)
    const [{ failures }] = stats.finish().policies
    expect(failures).toEqual({ decisions: 10, share: 1 / 3, reasons: { unreachable: 10 } })
    const without = createLogStats()
    for (const record of fine) without.decision(record)
    expect(without.finish().policies[0]).not.toHaveProperty('failures')
  })
})
