import { openDirect } from './direct.ts'
import { describeRules } from './suite.ts'

describeRules('called directly', openDirect)
