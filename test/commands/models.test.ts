import { describe, expect, it } from 'vitest'
import { InstallationError } from '../../src/errors.ts'
import { FOUR, modelFiles } from '../support/model-files.ts'
import { fixture, sha256 } from '../support/models.ts'
import { resource } from '../support/repository.ts'
import { type Repository, repository, type Setting } from '../support/run-dap.ts'

const MLP = modelFiles('mlp', `${FOUR}\noutput: { type: value }`)

const validated = async (here: Repository, setting?: Setting) => {
  const { stdout } = await here.dap('validate', setting)
  return stdout.replace(/^ .*[│╰^].*\n/gm, '')
}

/** What is said where texts of files are others. */
function edited(files: Readonly<Record<string, string>>, ...edits: [path: string, before: string, after: string][]) {
  const here = repository(files)
  for (const edit of edits) here.edit(...edit)
  return validated(here)
}

const POLICY = resource(
  'Policy',
  'offer',
  `unit: playerId
context: { playerId: { type: string }, level: { type: integer }, mood: { type: number } }
actions: [{ id: a, features: { price: 1, size: 2 } }, { id: b, features: { price: 2.5, size: 1 } }]
algorithm: { learner: { type: model, model: ctr }, exploration: { type: epsilon-greedy, epsilon: 0.1 } }
guardrails: { minProbability: 0.02, fallback: a }
reward: { name: click, type: binary, wait: 1h, default: 0 }`,
)

describe('a Model and its file', () => {
  it('are valid where they say the same', async () => {
    expect(await validated(repository(MLP))).toBe('4 files checked: all valid\n')
    const calibrated = {
      ...modelFiles(
        'classifier',
        `${FOUR}\noutput: { type: probability, name: probabilities, column: 1 }\ncalibration: { type: isotonic, file: models/c.json }`,
      ),
      'models/c.json': '{"x": [0.1, 0.9],\n "y": [0.2, 0.3]}',
    }
    expect(await validated(repository(calibrated))).toBe('5 files checked: all valid\n')
    expect(await edited(calibrated, ['models/c.json', '0.2,', '0.5,'])).toMatchInlineSnapshot(`
      "models/c.json:2:13: error: \`y[1]\` is 0.3, after 0.5 [semantic]
        hint: what scores become never falls

      5 files checked: 1 error
      "
    `)
    expect(await edited(calibrated, ['models/c.json', '0.3', '1.3'])).toMatchInlineSnapshot(`
      "models/c.json:2:13: error: \`y[1]\` is 1.3, and a probability becomes a probability [semantic]
        hint: write a number from 0 to 1

      5 files checked: 1 error
      "
    `)
    expect(await edited(calibrated, ['models/c.json', '],', ']'])).toMatchInlineSnapshot(`
      "models/c.json:2:2: error: the file is no JSON, from here on [file]
        hint: it is what \`json.dump\` of Python writes

      5 files checked: 1 error
      "
    `)
  })

  it('are held against each other: the digest, names, types and columns', async () => {
    expect(
      await edited(MLP, ['models/ctr.yaml', sha256(fixture('mlp.onnx')), sha256(fixture('heads.onnx'))]),
    ).toMatchInlineSnapshot(`
      "models/ctr.yaml:8:13: error: \`models/ctr.onnx\` is another file than the one that is meant [semantic]
        hint: if this model is to decide: \`digest: sha256:b18694a226a305ab3137020998628bc4bac4ab43ce148c15a879f29ed11791cc\`

      4 files checked: 1 error
      "
    `)
    expect(
      await edited(MLP, ['models/ctr.yaml', 'name: x', 'name: X'], ['models/ctr.parity.jsonl', '"x"', '"X"']),
    ).toMatchInlineSnapshot(`
      "models/ctr.yaml:9:11: error: the model also has the input \`x\` [semantic]
        hint: add it: \`{ name: x, dtype: float32, features: [...] }\`

      models/ctr.yaml:9:20: error: the model has no input \`X\` [semantic]
        hint: did you mean \`x\`?

      models/ctr.parity.jsonl:2:1: error: the Model has no input \`x\` [semantic]
        hint: it has \`X\`

      models/ctr.parity.jsonl:3:1: error: the Model has no input \`x\` [semantic]
        hint: it has \`X\`

      models/ctr.parity.jsonl:4:1: error: the Model has no input \`x\` [semantic]
        hint: it has \`X\`

      models/ctr.parity.jsonl:5:1: error: the Model has no input \`x\` [semantic]
        hint: it has \`X\`

      models/ctr.parity.jsonl:6:1: error: the Model has no input \`x\` [semantic]
        hint: it has \`X\`

      4 files checked: 7 errors
      "
    `)
    const typed = modelFiles('ids', 'inputs: [{ name: ids, features: [{ action: id }] }]\noutput: { type: value }', {
      rows: false,
    })
    expect(await validated(repository(typed))).toMatchInlineSnapshot(`
      "models/ctr.yaml:9:12: error: \`ids\` is int64 in the model, not float32 [semantic]
        hint: say \`dtype: int64\`

      3 files checked: 1 error
      "
    `)
    expect(
      await validated(repository(modelFiles('classifier', `${FOUR}\noutput: { type: value }`))),
    ).toMatchInlineSnapshot(`
      "models/ctr.yaml:10:11: error: the model has several outputs, and none is named [semantic]
        hint: say its \`name\`: \`label\`, \`probabilities\`

      4 files checked: 1 error
      "
    `)
    expect(
      await validated(repository(modelFiles('fixed-batch', `${FOUR}\noutput: { type: value }`, { rows: false }))),
    ).toMatchInlineSnapshot(`
      "models/ctr.yaml:9:20: error: the model takes 1 row of \`x\` and no other number, [1, 4] [semantic]
        hint: export it with a first dimension that is not fixed, such as \`dynamic_axes\` or \`dynamic_shapes\` of its exporter

      3 files checked: 1 error
      "
    `)
  })

  it.each(['random', 'branch', 'function', 'dropout', 'external', 'batch-normalised'])(
    'are refused: %s',
    async name => {
      const said = await validated(repository(modelFiles(name, `${FOUR}\noutput: { type: value }`, { rows: false })))
      expect(said).toMatchSnapshot()
      expect(said).toContain('models/ctr.yaml:7:11: error:')
    },
  )

  it('say of files that are none, which and why', async () => {
    const gone = repository(MLP)
    gone.remove('models/ctr.onnx')
    gone.remove('models/ctr.parity.jsonl')
    expect(await validated(gone)).toMatchInlineSnapshot(`
      "models/ctr.yaml:7:11: error: data file \`models/ctr.onnx\` does not exist [file]
        hint: paths are relative to the folder of dap.yaml

      models/ctr.yaml:11:19: error: data file \`models/ctr.parity.jsonl\` does not exist [file]
        hint: paths are relative to the folder of dap.yaml

      2 files checked: 2 errors
      "
    `)
    const cut = repository(MLP)
    cut.write('models/ctr.onnx', fixture('mlp.onnx').toString('latin1').slice(0, 99))
    expect(await validated(cut)).toMatchInlineSnapshot(`
      "models/ctr.yaml:7:11: error: \`models/ctr.onnx\` is no model of ONNX: it ends within a field [file]
        hint: it is what an exporter to ONNX wrote, in one file, as it is

      4 files checked: 1 error
      "
    `)
    cut.write('models/ctr.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 380\n')
    expect(await validated(cut)).toMatchInlineSnapshot(`
      "models/ctr.yaml:7:11: error: \`models/ctr.onnx\` is a pointer of Git LFS, and the model is elsewhere [file]
        hint: \`git lfs pull\` fetches it

      4 files checked: 1 error
      "
    `)
    expect(await edited(MLP, ['models/ctr.yaml', 'file: models/ctr.onnx', 'file: ../ctr.onnx'])).toMatchInlineSnapshot(`
      "models/ctr.yaml:7:11: error: \`../ctr.onnx\` is outside the repository [reference]
        hint: declare its folder in \`spec.dataRoots\` of dap.yaml, or move it inside

      2 files checked: 1 error
      "
    `)
  })

  it('mean something together', async () => {
    expect(
      await edited(
        MLP,
        ['models/ctr.yaml', '{ field: mood }', '{ hash: [x] }'],
        ['models/ctr.yaml', '{ action: price }', '{ slot: size }'],
        ['models/ctr.yaml', '{ field: level }', '{ model: ctr }'],
        ['models/ctr.yaml', 'output:', 'timeout: 11s\n  output:'],
      ),
    ).toMatchInlineSnapshot(`
      "models/ctr.yaml:9:34: error: a Model is not fed with another [semantic]
        hint: make one model of the two where they are trained

      models/ctr.yaml:9:58: error: \`hash\` must be a mapping, got a list [schema]
        hint: How names become slots, what is hashed, and what is multiplied

      models/ctr.yaml:9:65: error: scores are asked for once a decision, and know no slot [semantic]
        hint: take out what is of the slot

      models/ctr.yaml:10:12: error: \`timeout\` must be from 1ms to 10s, got \`11s\` [semantic]
        hint: whoever asks for a decision waits as long

      2 files checked: 4 errors
      "
    `)
    const twice = `inputs: [{ name: x, dtype: int32, features: [{ field: level, transform: log1p }] }, { name: x, features: [{ field: level }] }]`
    const heads = `${twice}\noutput: { type: heads, count: 5 }\ncalibration: { type: platt, file: models/c.json }`
    expect(await validated(repository(modelFiles('heads', heads, { rows: false })))).toMatchInlineSnapshot(`
      "models/ctr.yaml:9:75: error: \`log1p\` makes fractions, and the input takes int32 [semantic]
        hint: give the input \`dtype: float32\`, or take the number as it is

      models/ctr.yaml:9:95: error: the input \`x\` is there twice [duplicate]
        hint: take one of them out, or call it otherwise

      models/ctr.yaml:11:3: error: a calibration is of one score, and the output is \`heads\` [semantic]
        hint: calibrate it in the model

      2 files checked: 3 errors
      "
    `)
  })
})

describe('rows whose outputs are known', () => {
  it('are run, in batches of 1, 7 and all', async () => {
    const { 'models/ctr.parity.jsonl': rows } = MLP
    const [first] = rows.split('\n')
    const wrong = first.replace(/"output": \[(.*)\]/, '"output": [0.5]')
    expect(await edited(MLP, ['models/ctr.parity.jsonl', first, wrong])).toMatchInlineSnapshot(`
      "models/ctr.parity.jsonl:1:1: error: the model gives -0.7273099422454834, not 0.5, in column 0, alone [semantic]
        hint: are the columns in the order of \`inputs\`, and is it this file that the rows were made with? Then write them anew

      4 files checked: 1 error
      "
    `)
    expect(
      await edited(MLP, ['models/ctr.parity.jsonl', first, '{"inputs": {"x": [1, 2]}, "output": [1]}']),
    ).toMatchInlineSnapshot(`
      "models/ctr.parity.jsonl:2:1: error: \`inputs.x\` has 4 numbers, and 2 in the first row [semantic]
        hint: every row has as many

      models/ctr.parity.jsonl:3:1: error: \`inputs.x\` has 4 numbers, and 2 in the first row [semantic]
        hint: every row has as many

      models/ctr.parity.jsonl:4:1: error: \`inputs.x\` has 4 numbers, and 2 in the first row [semantic]
        hint: every row has as many

      models/ctr.parity.jsonl:5:1: error: \`inputs.x\` has 4 numbers, and 2 in the first row [semantic]
        hint: every row has as many

      models/ctr.parity.jsonl:6:1: error: \`inputs.x\` has 4 numbers, and 2 in the first row [semantic]
        hint: every row has as many

      4 files checked: 5 errors
      "
    `)
    const quantised = modelFiles('dynamic-quantised', `${FOUR}\noutput: { type: value }`)
    expect(await validated(repository(quantised))).toMatchInlineSnapshot(`
      "models/ctr.yaml:7:11: error: the score of an action depends on the actions beside it (\`DynamicQuantizeLinear\`) [semantic]
        hint: quantise it statically, or its weights alone, and export it for inference; or say \`listwise: true\`, if scores are meant to depend on the whole list

      4 files checked: 1 error
      "
    `)
    expect(await edited(quantised, ['models/ctr.yaml', 'output:', 'listwise: true\n  output:'])).toMatchInlineSnapshot(`
      "models/ctr.parity.jsonl:2:1: error: the model gives 0.3291732966899872, not 0.347067, in column 0, in a batch of 12 [semantic]
        hint: are the columns in the order of \`inputs\`, and is it this file that the rows were made with? Then write them anew

      4 files checked: 1 error
      "
    `)
  })

  it('are not, where nothing can run them, which is said', async () => {
    const open = () => Promise.reject(new InstallationError(['onnxruntime-node'], new Error('gone'), 'install it'))
    expect(await validated(repository(MLP), { models: async () => ({ open }) })).toMatchInlineSnapshot(`
      "models/ctr.yaml:11:11: warning: the rows of \`models/ctr.parity.jsonl\` were not run: \`onnxruntime-node\` is not installed [file]
        hint: install it

      4 files checked: 1 warning
      "
    `)
  })
})

describe('commands that know all kinds', () => {
  it('know Models', async () => {
    const here = repository({ ...MLP, 'policies/offer.yaml': POLICY })
    expect((await here.dap('list model')).stdout).toMatchInlineSnapshot(`
      "Model  files    file
      ctr    2 files  models/ctr.yaml
      "
    `)
    expect((await here.dap('graph offer')).stdout).toMatchInlineSnapshot(`
      "policy offer  policies/offer.yaml
      needs
      └─ model ctr
      needed by nothing
      "
    `)
    expect((await here.dap('new model score')).stdout).toMatchInlineSnapshot(`
      "models/score.onnx: a model, in whose place another goes; \`dap model new\` takes one that there is
      models/score.yaml: a new model, valid as it stands
      next: edit it, then dap validate
      "
    `)
    expect((await here.dap('validate models')).stdout).toMatchInlineSnapshot(`
      "6 files checked: all valid
      "
    `)
    expect((await here.dap('new model ctr')).stderr).toMatchInlineSnapshot(`
      "error: there is a model \`ctr\` already
      "
    `)
  })
})
