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
      "models/ctr.parity.jsonl:1:1: error: the model gives -0.72731, not 0.5, in column 0, alone [semantic]
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
      "models/ctr.parity.jsonl:2:1: error: the model gives 0.329173, not 0.347067, in column 0, in a batch of 12 [semantic]
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

describe('model check', () => {
  it('tells of each Model whether it is what it was', async () => {
    const here = repository(MLP)
    const { code, stdout } = await here.dap('model check')
    expect(stdout).toMatch(/^ctr +passed, 12 rows in batches of 1, 7, 12 +[\d.e-]+ +[\d.]+$/m)
    expect(stdout).toContain('1 model checked: it is right')
    expect(code).toBe(0)
    const { models, passed } = JSON.parse((await here.dap('model check ctr --json')).stdout)
    expect(passed).toBe(true)
    expect(models[0].parity).toMatchObject({
      status: 'passed',
      rows: 12,
      between: 0,
      batches: [{ size: 1 }, { size: 7 }, { size: 12 }],
    })
  })

  it('tells what is wrong, at its place', async () => {
    const here = repository(MLP)
    here.edit('models/ctr.parity.jsonl', '-0.72730994', '0.5')
    const off = await here.dap('model check')
    expect(off.code).toBe(1)
    expect(off.stdout.replace(/[\d.]+$/m, '#')).toMatchInlineSnapshot(`
      "models/ctr.parity.jsonl:1:1: error: the model gives -0.72731, not 0.5, in column 0, alone [semantic]
        1 │ {"inputs": {"x": [-0.549, -1.225, 0.294, 0.046]}, "output": [0.5]}
          │ ^
        hint: are the columns in the order of \`inputs\`, and is it this file that the rows were made with? Then write them anew

      Model  parity                                  off by  seconds
      ctr    failed, 12 rows in batches of 1, 7, 12   1.227        #

      1 model checked: 1 is not right
      "
    `)
    here.edit('models/ctr.yaml', 'name: x', 'name: y')
    const faulty = await here.dap('model check')
    expect(faulty.stdout).toContain('not run: its files have errors')
    expect(JSON.parse((await here.dap('model check --json')).stdout)).toMatchObject({
      passed: false,
      models: [{ passed: false, parity: { status: 'not-run', batches: [], between: null } }],
    })
  })

  it('gives up where nothing runs it, and where there is nothing', async () => {
    const onnx = () => Promise.reject(new InstallationError(['onnxruntime-node'], new Error('gone'), 'install it'))
    expect(await repository(MLP).dap('model check', { models: async () => ({ open: onnx }) })).toMatchObject({
      code: 1,
      stderr: 'error: dap cannot load `onnxruntime-node`: gone\nhint: install it\n',
    })
    expect((await repository({ 'dap.yaml': MLP['dap.yaml'] }).dap('model check')).stderr).toMatchInlineSnapshot(`
      "error: the repository has no valid model
      hint: \`dap new model NAME\` adds one
      "
    `)
    expect((await repository(MLP).dap('model check ctx')).stderr).toMatchInlineSnapshot(`
      "error: no model \`ctx\`
      hint: did you mean \`ctr\`?
      "
    `)
  })

  it('says of a row that is no number that it is none', async () => {
    const files = modelFiles(
      'log',
      'inputs: [{ name: x, features: [{ field: a }] }]\noutput: { type: value }\nparity: { file: models/p.jsonl }',
      { rows: false },
    )
    const here = repository({ ...files, 'models/p.jsonl': '{"inputs": {"x": [-1]}, "output": [1]}\n' })
    expect((await here.dap('model check')).stdout).toContain('no number')
    expect(JSON.parse((await here.dap('model check --json')).stdout).models[0].parity.batches).toEqual([
      { size: 1, difference: null },
    ])
  })
})

describe('model show', () => {
  it('says what a Model and its file say, and who uses it', async () => {
    const here = repository({ ...MLP, 'policies/offer.yaml': POLICY })
    expect((await here.dap('model show')).stdout).toMatchInlineSnapshot(`
      "ctr  models/ctr.yaml

      runtime  onnx, models/ctr.onnx
      digest   sha256:b18694a226a305ab3137020998628bc4bac4ab43ce148c15a879f29ed11791cc
      inputs   x: float32, 4 features
      output   value
      parity   12 rows
      used by  offer

      its file says
      made by        dap-fixtures 1, IR 8
      operator sets  ai.onnx 17
      operators      Gemm 2, Relu 1
      inputs         x: float32 [N, 4]
      outputs        score: float32 [N, 1]
      dap.made       mlp
      "
    `)
    expect(JSON.parse((await here.dap('model show ctr --json')).stdout).found).toMatchInlineSnapshot(`
      {
        "inputs": [
          {
            "dtype": "float32",
            "name": "x",
            "shape": [
              "N",
              4,
            ],
          },
        ],
        "irVersion": 8,
        "metadata": {
          "dap.made": "mlp",
        },
        "operators": {
          "Gemm": 2,
          "Relu": 1,
        },
        "opsets": {
          "ai.onnx": 17,
        },
        "outputs": [
          {
            "dtype": "float32",
            "name": "score",
            "shape": [
              "N",
              1,
            ],
          },
        ],
        "producer": "dap-fixtures 1",
      }
    `)
    here.write('models/ctr.onnx', 'none')
    expect((await here.dap('model show ctr')).stdout).toMatchInlineSnapshot(`
      "ctr  models/ctr.yaml

      runtime  onnx, models/ctr.onnx
      digest   sha256:b18694a226a305ab3137020998628bc4bac4ab43ce148c15a879f29ed11791cc
      inputs   x: float32, 4 features
      output   value
      parity   12 rows
      used by  nobody knows while it has errors

      1 error: \`dap model check ctr\` shows it
      "
    `)
  })
})

describe('model new', () => {
  const files = { 'dap.yaml': MLP['dap.yaml'] }
  const bytes = (name: string) => fixture(`${name}.onnx`).toString('latin1')

  it.each(['mlp', 'classifier', 'heads', 'embedding', 'two-inputs', 'ids', 'texts'])(
    'makes one that is valid: %s',
    async name => {
      const here = repository({ ...files, [`models/${name}.onnx`]: bytes(name) })
      const { code, stdout } = await here.dap(`model new --from models/${name}.onnx`)
      expect(code).toBe(0)
      expect(stdout).toContain(`models/${name}.yaml: a new model, of models/${name}.onnx`)
      expect(here.read(`models/${name}.yaml`).replace(/sha256:\w+/, 'sha256:…')).toMatchSnapshot()
      expect((await here.dap('model check')).stdout).toContain('it is right')
    },
  )

  it('takes the names of columns from what MLflow wrote', async () => {
    const mlmodel = `flavors:
  onnx: { data: model.onnx, onnx_version: 1.23.2 }
signature:
  inputs: '[{"type": "double", "name": "level"}, {"type": "double", "name": "mood"}, {"type": "double", "name": "price"}, {"type": "double", "name": "size"}]'
`
    const here = repository({ ...files, 'data/ctr-v2/MLmodel': mlmodel, 'data/ctr-v2/model.onnx': bytes('mlp') })
    for (const from of ['data/ctr-v2', 'data/ctr-v2/MLmodel', 'data/ctr-v2/model.onnx']) {
      expect((await here.dap(`model new --from ${from}`)).stderr).toBe('')
      expect(here.read('models/ctr-v2.yaml')).toContain('- { field: level }\n        - { field: mood }')
      here.remove('models/ctr-v2.yaml')
    }
    here.write('data/ctr-v2/MLmodel', mlmodel.replace('onnx:', 'keras:'))
    expect((await here.dap('model new --from data/ctr-v2')).stderr).toMatchInlineSnapshot(`
      "error: \`data/ctr-v2/MLmodel\` has no flavour \`onnx\`
      hint: log the model with \`mlflow.onnx.log_model\`, or convert it: \`tf2onnx\`, \`skl2onnx\`, \`jax2onnx\`
      "
    `)
  })

  it('refuses what is no model, what is elsewhere, and what is there already', async () => {
    const here = repository({ ...MLP, 'models/none.onnx': 'none', 'data/Ctr 2.txt': '' })
    const said = async (line: string) => (await here.dap(`model new ${line}`)).stderr
    expect(await said('ctr2 --from models:/ctr@champion')).toMatchInlineSnapshot(`
      "error: dap does not ask a registry of MLflow
      hint: \`mlflow artifacts download --artifact-uri models:/ctr@champion --dst-path data/model\`, then \`--from data/model/MLmodel\`
      "
    `)
    expect(await said('--from models/none.onnx')).toMatchInlineSnapshot(`
      "error: \`models/none.onnx\` is no model of ONNX: a field has the wire type 6
      hint: an exporter to ONNX writes one
      "
    `)
    expect(await said('--from models/ctr.onnx')).toMatchInlineSnapshot(`
      "error: there is a model \`ctr\` already
      hint: \`dap model new NAME\` gives another name
      "
    `)
    expect(await said('Ctr --from models/ctr.onnx')).toMatchInlineSnapshot(`
      "error: \`Ctr\` cannot be a name
      hint: lower-case letters, digits and inner \`-\` and \`_\`, at most 63
      "
    `)
    expect(await said('x --from gone.onnx')).toMatchInlineSnapshot(`
      "error: no such file: \`gone.onnx\`
      "
    `)
    expect(await said('x --from models')).toMatchInlineSnapshot(`
      "error: \`models\` is a folder
      hint: name the file of ONNX in it
      "
    `)
    expect(await said('x')).toMatchInlineSnapshot(`
      "error: of which file?
      hint: --from FILE; \`dap new model NAME\` makes one with a small model to begin with
      "
    `)
  })
})
