/** Every world there is: a file and a line each. */
export { bernoulli } from './bernoulli.ts'
export { catalogue } from './catalogue.ts'
export { linear } from './linear.ts'
export { logistic } from './logistic.ts'
