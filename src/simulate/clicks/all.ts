/** Every click model there is: a file and a line each. */
export { cascade } from './cascade.ts'
export { dcm } from './dcm.ts'
export { listWise } from './list-wise.ts'
export { pbm } from './pbm.ts'
