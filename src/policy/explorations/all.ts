/** Every exploration there is: a file and a line each. */
export { epsilonGreedyExploration } from './epsilon-greedy.ts'
export { greedyExploration } from './greedy.ts'
export { klUcbExploration } from './kl-ucb.ts'
export { softmaxExploration } from './softmax.ts'
export { squarecbExploration } from './squarecb.ts'
export { thompsonExploration } from './thompson.ts'
export { ucbExploration } from './ucb.ts'
