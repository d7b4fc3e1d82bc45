/** An algorithm as papers and libraries call it, and the learner × exploration that it is here. */
export interface FieldName {
  /** In lower case, words joined by `-`. */
  readonly name: string
  readonly learner: string
  /** Absent of a learner that stands alone. */
  readonly exploration?: string
}

const of = (learner: string, exploration: string | undefined, ...names: readonly string[]): FieldName[] =>
  names.map(name => ({ name, learner, ...(exploration === undefined ? {} : { exploration }) }))

/** Names of the field that are no name of a learner or an exploration here, or that mean a pair of them. */
export const FIELD_NAMES: readonly FieldName[] = [
  ...of('mean', 'epsilon-greedy', 'epsilon-greedy', 'e-greedy', 'egreedy', 'eps-greedy', 'ε-greedy'),
  ...of('mean', 'softmax', 'softmax', 'boltzmann', 'gibbs'),
  ...of('mean', 'ucb', 'ucb', 'ucb1', 'upper-confidence-bound'),
  ...of('mean', 'kl-ucb', 'kl-ucb', 'klucb'),
  ...of('mean', 'thompson', 'gaussian-thompson', 'gaussian-thompson-sampling', 'normal-thompson'),
  ...of(
    'beta',
    'thompson',
    'thompson',
    'thompson-sampling',
    'ts',
    'beta-bernoulli',
    'bernoulli-thompson',
    'beta-thompson',
    'posterior-sampling',
  ),
  ...of('linear', 'ucb', 'linucb', 'lin-ucb', 'linear-ucb', 'contextual-ucb'),
  ...of('linear', 'thompson', 'lints', 'lin-ts', 'linear-thompson', 'linear-thompson-sampling', 'contextual-thompson'),
  ...of('mean', 'squarecb', 'context-free-squarecb'),
  ...of('linear', 'squarecb', 'squarecb', 'square-cb', 'inverse-gap-weighting', 'igw'),
  ...of('logistic', 'squarecb', 'logistic-squarecb'),
  ...of('logistic', 'ucb', 'logistic-ucb', 'glm-ucb', 'ucb-glm'),
  ...of('logistic', 'thompson', 'logistic-thompson', 'logistic-ts', 'laplace-thompson', 'laplace-ts'),
  ...of('logistic', 'greedy', 'logistic-greedy'),
  ...of('logistic', 'epsilon-greedy', 'logistic-epsilon-greedy'),
  ...of('hashed', 'squarecb', 'hashed-squarecb', 'vowpal-wabbit', 'vw'),
  ...of('hashed', 'thompson', 'hashed-thompson'),
  ...of('linear', 'greedy', 'lingreedy', 'lin-greedy', 'linear-greedy'),
  ...of('linear', 'epsilon-greedy', 'contextual-epsilon-greedy', 'linear-epsilon-greedy'),
  ...of('hybrid', 'ucb', 'hybrid-linucb', 'linucb-hybrid', 'hybrid-ucb'),
  ...of('hybrid', 'thompson', 'hybrid-lints', 'hybrid-thompson', 'hybrid-thompson-sampling'),
  ...of('hybrid', 'squarecb', 'hybrid-squarecb'),
  ...of('hybrid', 'greedy', 'hybrid-lingreedy', 'hybrid-greedy'),
  ...of('hybrid', 'epsilon-greedy', 'hybrid-epsilon-greedy'),
  ...of('uniform', undefined, 'uniform', 'random', 'ab-test', 'a-b-test', 'experiment'),
  ...of('fixed', undefined, 'fixed', 'static', 'constant'),
]
