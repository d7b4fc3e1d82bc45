import { describe, expect, it } from 'vitest'
import { schemas } from '../../src/generated/schemas.js'
import type { DatasetSpec } from '../../src/kinds.ts'
import { CSV } from '../../src/log/csv.ts'
import { explain } from '../../src/repo/explain.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { fillDefaults } from '../../src/repo/shape.ts'
import { diagnose, resource } from '../support/repository.ts'

const dataset = (spec: string, format = 'csv') => resource('Dataset', 'd', `files: [x]\nformat: ${format}\n${spec}`)

/** What is said of a Dataset of the format csv, without the places. */
const said = async (spec: string, format?: string) =>
  (await diagnose(dataset(spec, format))).map(text => text.replace(/^\S+ semantic /, ''))

/** A mapping with these fields beside the needed ones; `null` takes one out. */
function mapping(fields: Readonly<Record<string, string | null>> = {}): string {
  const all = Object.entries({ action: 'a', propensity: 'p', reward: 'r', ...fields })
  return `mapping: { ${all.flatMap(([name, column]) => (column === null ? [] : [`${name}: "${column}"`])).join(', ')} }`
}

const REWARDS = 'rewards: { files: [y], mapping: { decisionId: id, reward: v } }'
const TIMED = 'rewards: { files: [y], mapping: { decisionId: id, reward: v, ts: t } }'

describe('a mapped Dataset', () => {
  it.each([
    ['the least there is', mapping()],
    ['names that are empty', mapping({ decisionId: '', action: 'c.User.name', reward: 'o[0].v' })],
    ['a cost', mapping({ reward: null, cost: 'c' })],
    ['no propensities', `${mapping({ propensity: null })}\npropensity: unknown`],
    ['sets of its own', mapping({ eligible: 'e', propensities: 'ps' })],
    ['a vector over declared actions', `actions: [x, y]\n${mapping({ propensities: 'ps' })}`],
    ['records that were dropped', mapping({ dropProbability: 'pdrop', propensity: 'p[0]' })],
    ['a default', `${mapping()}\nreward: { default: 0 }`],
    ['a cap', `${mapping()}\nreward: { minimum: 0, cap: 100, maximum: 100 }`],
    ['a wait', `${mapping({ ts: 't' })}\nreward: { wait: 1h }`],
    ['rows brought together', `${mapping({ decisionId: 'id', rewardId: 'c' })}\nreward: { aggregate: max }`],
    ['rewards elsewhere', `${mapping({ decisionId: 'id', reward: null })}\n${REWARDS}\nreward: { aggregate: sum }`],
    [
      'late rewards elsewhere',
      `${mapping({ decisionId: 'id', ts: 't', reward: null })}\n${TIMED}\nreward: { wait: 1d }`,
    ],
    ['German CSV', `${mapping()}\ncsv: { delimiter: ;, decimal: ",", nulls: ["", NA], timeZone: Europe/Berlin }`],
    ['control characters and backslashes', `${mapping()}\ncsv: { delimiter: "\\x01", escape: '\\', comment: '#' }`],
    ['tabs, as YAML writes them', `${mapping()}\ncsv: { delimiter: "\\t", quote: "" }`],
  ])('may have %s', async (_, spec) => {
    expect(await said(spec)).toEqual([])
  })

  it('may not say', async () => {
    const wrong = {
      'no mapping': '',
      'nothing of propensities': mapping({ propensity: null }),
      'a column of what is unknown': `${mapping({ propensities: 'ps', eligible: 'e' })}\npropensity: unknown`,
      'no reward': mapping({ reward: null }),
      'a reward and a cost': mapping({ cost: 'c' }),
      'rewards in two places': `${mapping({ decisionId: 'id', cost: 'c', rewardId: 'i' })}\n${REWARDS}`,
      'rewards of no id': `${mapping({ reward: null })}\n${REWARDS}\nreward: { aggregate: sum }`,
      'a slot of decisions alone': `${mapping({ decisionId: 'id', slot: 's', reward: null })}\n${REWARDS}`,
      'a wait after no time': `${mapping({ decisionId: 'id', reward: null })}\n${REWARDS}\nreward: { wait: 1h }`,
      'rows of no id brought together': `${mapping({ rewardId: 'c' })}\nreward: { aggregate: sum }`,
      'ids of rewards that are not brought together': mapping({ decisionId: 'id', rewardId: 'c' }),
      'a name of rewards': `${mapping()}\nreward: { name: purchase }`,
      'a cap below all': `${mapping()}\nreward: { minimum: 5, cap: 5 }`,
      'a cap above all': `${mapping()}\nreward: { maximum: 5, cap: 6 }`,
      'both shares': mapping({ logProbability: 'l', dropProbability: 'd' }),
      'a cooked probability': mapping({ propensity: '_label_probability', dropProbability: 'pdrop' }),
      'a vector over nothing': mapping({ propensities: 'ps' }),
      'one comma for two things': `${mapping()}\ncsv: { decimal: "," }`,
      'characters that are one': `${mapping()}\ncsv: { delimiter: ";", quote: ";", escape: ";", comment: ";" }`,
      'the most of costs': `${mapping({ decisionId: 'id', reward: null, cost: 'c' })}\nreward: { aggregate: max }`,
      'no such place': `${mapping()}\ncsv: { timeZone: Europe/Bern-Bümpliz }`,
      'no such zone': `${mapping()}\ncsv: { timeZone: Europe/Bern }`,
      'delimiters of other lengths': `${mapping()}\ncsv: { delimiter: '\\t' }`,
    }
    const found: Record<string, readonly string[]> = {}
    for (const [name, spec] of Object.entries(wrong)) found[name] = await said(spec)
    expect(found).toMatchInlineSnapshot(`
      {
        "a cap above all": [
          "\`cap\` 6 is more than \`maximum\` 5 | no reward is above \`maximum\`: take out \`cap\`, or correct one of them",
        ],
        "a cap below all": [
          "\`cap\` 5 is not more than \`minimum\` 5 | take out \`cap\`, or correct one of them",
        ],
        "a column of what is unknown": [
          "\`propensity: unknown\` says that the log has none, but \`propensity\` names them | take out \`propensity\`, or \`propensity: unknown\`",
          "\`propensity: unknown\` says that the log has none, but \`propensities\` names them | take out \`propensities\`, or \`propensity: unknown\`",
        ],
        "a cooked probability": [
          "\`_label_probability\` has it in already: it would count twice | name the propensity itself: \`propensity: p[0]\`",
        ],
        "a name of rewards": [
          "rewards have names in the format \`dap\` alone | name the column of the one that is meant",
        ],
        "a reward and a cost": [
          "a cost is the negative of a reward: only one of \`reward\` and \`cost\` can be meant | take one of them out",
        ],
        "a slot of decisions alone": [
          "the decisions have a \`slot\` and the rewards have none | name the column of the slot of the rewards, or take out that of the decisions",
        ],
        "a vector over nothing": [
          "\`propensities\` are in the order of actions that nothing says | name the column of the lists of ids at \`eligible\`, or list the actions at \`spec.actions\`",
        ],
        "a wait after no time": [
          "\`wait\` is a time after the decision | name the columns of times: \`mapping.ts\`, \`rewards.mapping.ts\`",
        ],
        "both shares": [
          "\`logProbability\` and \`dropProbability\` say the same, 1 minus each other: only one can be meant | take one of them out",
        ],
        "characters that are one": [
          "\`quote\` and \`delimiter\` cannot both be \`;\` | write another character at one of them",
          "\`escape\` and \`delimiter\` cannot both be \`;\` | write another character at one of them",
          "\`comment\` and \`delimiter\` cannot both be \`;\` | write another character at one of them",
          "\`comment\` and \`quote\` cannot both be \`;\` | write another character at one of them",
        ],
        "delimiters of other lengths": [
          "8:21 schema \`delimiter\` must look like \`;\`, got the string \`\\t\` | The character between two fields, one of ASCII; a tab is \`"\\t"\`, in double quotes",
        ],
        "ids of rewards that are not brought together": [
          "\`rewardId\` tells rewards of one decision apart that \`reward.aggregate\` brings together | say \`mapping.decisionId\` and \`reward.aggregate\`, too",
        ],
        "no mapping": [
          "the format \`csv\` needs a \`mapping\` | it names the columns of \`action\`, \`propensity\` and \`reward\` at least",
        ],
        "no reward": [
          "nothing says where the rewards are | \`mapping.reward\` or \`mapping.cost\`, or \`rewards\` for files of their own",
        ],
        "no such place": [
          "8:20 schema \`timeZone\` must look like \`Europe/Berlin\`, got the string \`Europe/Bern-Bümpliz\` | The time zone of times that do not say theirs, by its IANA name",
        ],
        "no such zone": [
          "there is no time zone \`Europe/Bern\` | for example \`Europe/Berlin\`, or \`UTC\`",
        ],
        "nothing of propensities": [
          "no column of the \`propensity\` is named | if the log has none: \`propensity: unknown\` beside \`mapping\`, for which \`dm\` is the only estimator",
        ],
        "one comma for two things": [
          "\`decimal\` and \`delimiter\` cannot both be \`,\` | where the decimal sign is a comma, fields are mostly set apart by \`delimiter: ";"\`",
        ],
        "rewards in two places": [
          "the rewards are in files of their own, but \`reward\` names a column | take out \`mapping.reward\`, or \`rewards\`",
          "the rewards are in files of their own, but \`cost\` names a column | take out \`mapping.cost\`, or \`rewards\`",
          "the rewards are in files of their own, but \`rewardId\` names a column | name their ids at \`rewards.mapping.rewardId\`",
        ],
        "rewards of no id": [
          "\`rewards\` join the decisions by an id that the mapping does not name | name the column of the id at \`mapping.decisionId\`",
        ],
        "rows of no id brought together": [
          "\`rewardId\` tells rewards of one decision apart that \`reward.aggregate\` brings together | say \`mapping.decisionId\` and \`reward.aggregate\`, too",
          "\`aggregate\` brings rows of one decision together, and no id says which | name the column of the id at \`mapping.decisionId\`",
        ],
        "the most of costs": [
          "\`max\` cannot be had of costs: the greatest reward is the least cost | bring the costs of a decision together before they are read, or declare another \`aggregate\`",
        ],
      }
    `)
  })

  it('is written as CSV only where it is CSV', async () => {
    expect(await said(`${mapping()}\ncsv: {}`, 'parquet')).toEqual([
      '`csv` says how CSV is written, but the format is `parquet` | take out `csv`, or write `format: csv`',
    ])
    const rewards = 'rewards: { files: [y], format: csv, csv: {}, mapping: { decisionId: id, reward: v } }'
    expect(await said(`${mapping({ decisionId: 'id', reward: null })}\n${rewards}`, 'jsonl')).toEqual([])
    expect(
      await said(`${mapping({ decisionId: 'id', reward: null })}\n${rewards.replace('format: csv', 'format: jsonl')}`),
    ).toEqual(['`csv` says how CSV is written, but the format is `jsonl` | take out `csv`, or write `format: csv`'])
  })

  it('keeps its rewards inside the repository, too, globs and all', async () => {
    const rewards = 'rewards: { files: ["../y/*.csv", "y/**"], mapping: { decisionId: id, reward: v } }'
    expect(await diagnose(dataset(`${mapping({ decisionId: 'id', reward: null })}\n${rewards}`))).toEqual([
      '8:22 reference `../y/*.csv` is outside the repository | declare its folder in `spec.dataRoots` of dap.yaml, or move it inside',
    ])
  })
})

describe('a Dataset of the format dap', () => {
  it('takes nothing that its records say', async () => {
    expect(await said(`${mapping()}\n${REWARDS}\npropensity: unknown\ncsv: {}`, 'dap')).toEqual([
      'the format `dap` names its fields itself: it takes no `mapping` | take out `mapping`',
      'the format `dap` has records of rewards: it takes no `rewards` | name the files of its rewards among `files`',
      'the format `dap` logs its propensities: they cannot be unknown | take out `propensity`',
      '`csv` says how CSV is written, but the format is `dap` | take out `csv`, or write `format: csv`',
    ])
  })
})

describe('how CSV is written', () => {
  it('has the defaults of the schema', () => {
    const csv = { csv: {} }
    const document = { apiVersion: 'dap/v1', kind: 'Dataset', metadata: { name: 'd' }, spec: csv }
    expect(fillDefaults(document, schemas.Dataset).spec.csv).toEqual(CSV)
  })

  it('is filled in where something is said, of the decisions and of the rewards, and absent where nothing is', async () => {
    const spec = async (text: string) => {
      const repository = await loadRepository([{ path: 'd.yaml', text: dataset(text) }])
      return repository.get('Dataset', 'd')?.spec as DatasetSpec
    }
    expect((await spec(mapping())).csv).toBeUndefined()
    expect((await spec(`${mapping()}\ncsv: { delimiter: ; }`)).csv).toEqual({ ...CSV, delimiter: ';' })
    const rewards = 'rewards: { files: [y], csv: { header: false }, mapping: { decisionId: id, reward: v } }'
    const { rewards: own } = await spec(`${mapping({ decisionId: 'id', reward: null })}\n${rewards}`)
    expect(own?.csv).toEqual({ ...CSV, header: false })
  })

  it('is explained', () => {
    expect(explain('Dataset.spec.csv.delimiter')).toMatchObject({ explanation: { default: ',', type: 'string' } })
    expect(explain('Dataset.spec.rewards.csv.nulls')).toMatchObject({ explanation: { default: [''] } })
    expect(explain('Dataset.spec.mapping.eligible')).toMatchObject({ explanation: { required: false } })
    expect(explain('Evaluation.spec.candidates.probabilities.list')).toMatchObject({ explanation: { required: true } })
  })
})

describe('an Evaluation of a log without propensities', () => {
  const evaluated = async (spec: string) =>
    diagnose({
      'd.yaml': dataset(`${mapping({ propensity: null })}\npropensity: unknown`),
      'file.yaml': resource('Evaluation', 'e', `dataset: d\ncandidates: [{ name: u, uniform: true }]\n${spec}`),
    })

  it('has the direct method, and nothing else', async () => {
    expect(await evaluated('estimators: [dm]\nrewardModel: { type: tabular }')).toEqual([])
    expect(await evaluated('estimators: [dm]')).toEqual([expect.stringContaining('needs a `rewardModel`')])
    expect(await evaluated('estimators: [dm, dr, ips]\nrewardModel: { type: tabular }')).toEqual([
      '7:20 semantic the estimator `dr` needs propensities, and the Dataset says that its log has none | `estimators: [dm]`, with a `rewardModel`, is all that such a log allows',
    ])
    expect(await evaluated('')).toEqual([expect.stringContaining('the estimator `ips` needs propensities')])
  })

  it('may take probabilities from a list', async () => {
    const list = resource('Evaluation', 'e', 'dataset: d\ncandidates: [{ name: l, probabilities: { list: p } }]')
    expect(await diagnose({ 'd.yaml': dataset(mapping()), 'file.yaml': list })).toEqual([])
  })
})
