import { describe, expect, it } from 'vitest'
import { onnxRuntime } from '../../src/adapters/onnx/onnx.ts'
import type { ModelInput, ModelOutput } from '../../src/kinds.ts'
import { type ParityRow, readParity, runParity } from '../../src/models/parity.ts'
import { fixture, GAUSSIAN, sha256, VALUE } from '../support/models.ts'

const X: ModelInput = { name: 'x', dtype: 'float32', features: [] }
const TOLERANCE = 1e-6

function rowsOf(spec: { inputs: readonly ModelInput[]; output: ModelOutput }, text: string): readonly ParityRow[] {
  const read = readParity(spec, text)
  return 'rows' in read ? read.rows : expect.fail(read.faults[0].message)
}

async function run(
  name: string,
  spec: { inputs?: readonly ModelInput[]; output?: ModelOutput; listwise?: boolean },
  text?: string,
) {
  const bytes = fixture(`${name}.onnx`)
  const runtime = await onnxRuntime(bytes, sha256(bytes))
  const whole = { inputs: [X], output: VALUE, listwise: false, ...spec }
  const rows = rowsOf(whole, text ?? fixture(`${name}.parity.jsonl`).toString())
  try {
    return await runParity(whole, rows, runtime, new AbortController().signal)
  } finally {
    await runtime.close()
  }
}

describe('rows whose outputs are known', () => {
  it.each([
    ['mlp', {}],
    ['classifier', { output: { type: 'probability', name: 'probabilities', column: 1 } }],
    ['gaussian', { output: GAUSSIAN({ name: 'mean' }, { name: 'deviation', column: 0 }) }],
    ['heads', { output: { type: 'heads', count: 5, link: 'identity' } }],
    ['embedding', { output: { type: 'embedding', width: 8 } }],
    ['ids', { inputs: [{ ...X, name: 'ids', dtype: 'int64' }] }],
    ['two-inputs', { inputs: [{ ...X, name: 'flag', dtype: 'bool' }, X] }],
  ] as const)('are what the model gives, whatever runs beside them: %s', async (name, spec) => {
    const report = await run(name, spec)
    const sizes = report.batches.map(({ size }) => size)
    expect(sizes).toEqual([1, 7, report.rows])
    for (const { largest } of report.batches) expect(largest.difference).toBeLessThan(TOLERANCE)
    expect(report.between?.difference).toBeLessThan(TOLERANCE)
  })

  it('are not, where columns were given in another order', async () => {
    const rows = rowsOf({ inputs: [X], output: VALUE }, fixture('mlp.parity.jsonl').toString())
    const turned = rows.map(({ inputs: [[a, b, c, d]], output }) =>
      JSON.stringify({ inputs: { x: [a, c, b, d] }, output }),
    )
    const { batches, between } = await run('mlp', {}, turned.join('\n'))
    expect(batches[0].largest.difference).toBeGreaterThan(0.1)
    expect(between?.difference).toBe(0)
  })

  it('show a row that depends on the others of its batch', async () => {
    const { batches, between } = await run('dynamic-quantised', {})
    expect(batches[0]).toMatchObject({ size: 1 })
    expect(batches[0].largest.difference).toBeLessThan(TOLERANCE)
    expect(between?.difference).toBeGreaterThan(0.001)
    const whole = await run('dynamic-quantised', { listwise: true })
    expect(whole.batches.map(({ size }) => size)).toEqual([12])
    expect(whole.between).toBeUndefined()
  })

  it('tell where the largest difference is, which is infinite where there is no number', async () => {
    const text = '{"inputs": {"x": [1]}, "output": [0]}\n\n{"inputs": {"x": [-1]}, "output": [100]}'
    const { batches } = await run('log', {}, text)
    expect(batches.map(({ size }) => size)).toEqual([1, 2])
    expect(batches[0].largest).toEqual({
      line: 3,
      column: 0,
      expected: 100,
      got: Number.NaN,
      difference: Number.POSITIVE_INFINITY,
    })
    const relative = await run('log', {}, '{"inputs": {"x": [1]}, "output": [200]}')
    expect(relative.batches[0].largest.difference).toBe(1)
  })
})

describe('a parity file', () => {
  const spec = { inputs: [X, { ...X, name: 'flag' }], output: VALUE }
  const said = (...lines: string[]) => {
    const read = readParity(spec, lines.join('\n'))
    return 'rows' in read ? read.rows : read.faults.map(({ line, message }) => `${line}: ${message}`)
  }
  const good = '{"inputs": {"x": [1, 2], "flag": [1]}, "output": [3]}'

  it('has a row a line, blank ones aside', () => {
    expect(said('', good, ' ')).toEqual([{ line: 2, inputs: [[1, 2], [1]], output: [3] }])
    expect(said(`\ufeff${good}\r`)).toMatchObject([{ line: 1 }])
  })

  it('has faults with lines', () => {
    expect(said('')).toEqual(['1: there is no row in the file'])
    expect(
      said(
        good,
        '[]',
        '{"inputs": {"x": [1, 2], "flag": [1], "y": [1]}, "output": [3]}',
        '{"inputs": {"x": [1, 2]}, "output": [3]}',
        '{"inputs": {"x": [1, 1e999], "flag": [1]}, "output": [3]}',
        '{"inputs": {"x": [1], "flag": [1]}, "output": [3]}',
        '{"inputs": {"x": [1, 2], "flag": [1]}, "output": [3, 4]}',
        '{"inputs": {"x": [1, 2], "flag": [1]}, "output": [3], "outputs": 1}',
        '{"inputs": ',
      ),
    ).toMatchInlineSnapshot(`
      [
        "2: the line is no JSON object",
        "3: the Model has no input \`y\`",
        "4: \`inputs.flag\` is no list of numbers",
        "5: \`inputs.x\` is no list of numbers",
        "6: \`inputs.x\` has 1 numbers, and 2 in the first row",
      ]
    `)
  })
})
