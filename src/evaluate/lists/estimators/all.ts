/** Every estimator of lists: a file and a line each. */
export { cascadeDr } from './cascade-dr.ts'
export { iips } from './iips.ts'
export { pi } from './pi.ts'
export { rips } from './rips.ts'
export { sips } from './sips.ts'
export { sniips } from './sniips.ts'
export { snrips } from './snrips.ts'
export { snsips } from './snsips.ts'
