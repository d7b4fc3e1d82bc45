import type { ClickSpec } from '../../kinds.ts'
import type { ClickDefinition } from '../click-model.ts'
import { downward } from './dcm.ts'

/** The cascade model. Craswell, Zoeter, Taylor, Ramsey, "An Experimental Comparison of Click Position-Bias Models", WSDM 2008. */
export const cascade: ClickDefinition<Extract<ClickSpec, { type: 'cascade' }>> = {
  type: 'cascade',
  order: 20,
  description: 'From the top down until the first click: at most one a list.',
  options: {},
  create: () => downward(() => 0),
}
