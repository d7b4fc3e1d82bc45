import type { ClickSpec } from '../../kinds.ts'
import { inOrder, named } from '../../policy/definition.ts'
import type { ClickDefinition } from '../click-model.ts'
import * as models from './all.ts'

export const CLICK_MODELS: readonly ClickDefinition[] = inOrder<ClickDefinition>(models)

export const clickModelOf = ({ type }: Pick<ClickSpec, 'type'>): ClickDefinition =>
  named(CLICK_MODELS, type, 'click model')
