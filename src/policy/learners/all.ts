/** Every learner there is: a file and a line each. */
export { beta } from './beta.ts'
export { fixed } from './fixed.ts'
export { hashed } from './hashed.ts'
export { hybrid } from './hybrid.ts'
export { linear } from './linear.ts'
export { logistic } from './logistic.ts'
export { mean } from './mean.ts'
export { uniform } from './uniform.ts'
