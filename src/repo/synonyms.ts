import { PAIRS } from '../policy/algorithm.ts'
import { FIELD_NAMES } from '../policy/field-names.ts'

/** The value that is called otherwise elsewhere, and what to write. */
export interface Synonym {
  /** One of the values allowed. */
  readonly value: string
  readonly hint: string
}

/** What dap calls a thing, and what others do; as `plain` has it. */
const NAMES: readonly (readonly [name: string, ...others: string[]])[] = [
  // Targets.
  ['vertex', 'gcp', 'google', 'googlecloud', 'gcloud', 'vertexai', 'aiplatform', 'cloud'],
  ['emulator', 'local', 'localhost', 'docker', 'dev'],
  // Formats.
  ['jsonl', 'json', 'ndjson', 'jsonlines'],
  ['parquet', 'pq'],
  // Types.
  ['integer', 'int', 'int32', 'int64', 'long', 'count'],
  ['number', 'float', 'float64', 'double', 'decimal', 'numeric', 'real', 'continuous'],
  ['boolean', 'bool'],
  ['string', 'str', 'text', 'enum', 'categorical', 'category'],
  ['array', 'list', 'vector'],
  ['binary', 'bool', 'boolean', 'bernoulli', 'click', 'conversion'],
  // Transforms.
  ['one-hot', 'onehot', 'dummy', 'categorical'],
  ['log1p', 'log'],
  ['bucketize', 'bins', 'buckets', 'binning'],
  // Learners and explorations.
  ['beta', 'bernoulli', 'betabernoulli'],
  ['mean', 'average', 'gaussian', 'samplemean'],
  ['linear', 'ridge', 'regression', 'linearregression', 'lin'],
  ['logistic', 'logit', 'logisticregression', 'sigmoid', 'glm', 'laplace'],
  ['fixed', 'static', 'constant'],
  ['uniform', 'random', 'abtest'],
  ['epsilon-greedy', 'egreedy', 'epsgreedy', 'eps'],
  ['thompson', 'ts', 'thompsonsampling', 'bayesian'],
  ['softmax', 'boltzmann'],
  // Estimators.
  ['ips', 'iw', 'ipw', 'iptw', 'importancesampling', 'inversepropensity'],
  ['snips', 'wis', 'snipw', 'hajek'],
  ['dr', 'aipw', 'doublyrobust'],
  ['sndr', 'snaipw'],
  ['dm', 'directmethod', 'regression', 'rewardmodel'],
  ['switch-dr', 'switch'],
]

/** What one word cannot stand for. */
const ADVICE: readonly (readonly [name: string, value: string, hint: string])[] = [
  ['tsv', 'csv', 'write `format: csv`, and `csv: { delimiter: "\\t" }`'],
  ['exp3', 'softmax', 'dap has no EXP3, which is for adversaries; `softmax` also draws by weights'],
]

/** Algorithms as the field calls them: by the table of pairs first, which has their papers' names. */
const ALGORITHMS: readonly (readonly [name: string, learner: string, exploration: string])[] = [
  ...PAIRS.map(({ learner, exploration, name }) => ({
    name: name?.name,
    learner: learner.type,
    exploration: exploration?.type,
  })),
  ...FIELD_NAMES,
].flatMap(({ name, learner, exploration }) =>
  name === undefined || exploration === undefined ? [] : [[plain(name), learner, exploration] as const],
)

/** Of some allowed values the one that people who know other tools call that. */
export function synonym(word: string, values: readonly string[]): Synonym | undefined {
  const name = plain(word)
  const advice = ADVICE.find(([other, value]) => other === name && values.includes(value))
  if (advice !== undefined) return { value: advice[1], hint: advice[2] }
  const [value] = NAMES.find(([mine, ...others]) => values.includes(mine) && others.includes(name)) ?? []
  if (value !== undefined) return { value, hint: `write \`${value}\`` }
  const pair = algorithmCalled(word)
  const part = [pair?.exploration, pair?.learner].find(each => each !== undefined && values.includes(each))
  return pair && part !== undefined ? { value: part, hint: pair.hint } : undefined
}

/** The learner and the exploration that are known by a name of their own. */
export function algorithmCalled(
  word: string,
): { readonly learner: string; readonly exploration: string; readonly hint: string } | undefined {
  const name = plain(word)
  const [, learner, exploration] = ALGORITHMS.find(([other]) => other === name) ?? []
  if (learner === undefined || exploration === undefined) return undefined
  const hint = `\`${word}\` is \`learner: { type: ${learner} }\` with \`exploration: { type: ${exploration} }\``
  return { learner, exploration, hint }
}

/** `ε-greedy`, `LinUCB` and `Thompson sampling` without case, signs and blanks. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('ε', 'e')
    .replaceAll(/[^a-z0-9]/g, '')
}
