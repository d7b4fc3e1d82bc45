import type { Scorer } from '../../kinds.ts'
import { seesActions, shortFloat, widthOf } from '../../policy/model-outputs.ts'
import type { DecisionRecord } from '../records/records.ts'

type Said = NonNullable<DecisionRecord['model']>

/** Was the Model asked, and what it gave not logged? */
export const isUnlogged = ({ outputs, failure }: Said): boolean => outputs === undefined && failure === undefined

/** What is wrong with what a record says of a Model, whatever the policy; a sentence without a full stop. */
export function* outputFaults({ model, served }: DecisionRecord): Generator<string> {
  if (model === undefined) return
  const { outputs, failure } = model
  if (failure !== undefined && outputs !== undefined) yield `\`model\` has outputs, and the failure \`${failure}\``
  if (failure !== undefined && served.by === 'policy') {
    yield `the Model gave nothing (\`${failure}\`), and the record is served by \`policy\``
  }
  const at = outputs?.findIndex(x => !isFloat(x)) ?? -1
  if (at >= 0) yield `\`model.outputs[${at}]\` is ${outputs?.[at]}, which is no float32`
}

/** In all of its digits, or in the fewest that tell it. */
const isFloat = (x: number): boolean => {
  const float = Math.fround(x)
  return x === float || x === shortFloat(float)
}

/** The same of the policy that made the decision: whether its Model gives this. */
export function* modelFaults(
  { model, eligible, served }: DecisionRecord,
  scorer: Scorer | undefined,
): Generator<string> {
  if (model === undefined) {
    if (scorer !== undefined && served.by === 'policy') {
      yield `the policy decides by what the Model \`${scorer.name}\` gives, and nothing of that is in the record`
    }
    return
  }
  if (scorer === undefined) {
    yield `the policy has no Model, and the record has outputs of \`${model.name}\``
    return
  }
  if (model.name !== scorer.name || model.digest !== scorer.digest) {
    yield `the Model is \`${model.name}\` ${model.digest}, and the policy's \`${scorer.name}\` ${scorer.digest}`
    return
  }
  if (isUnlogged(model)) {
    if (scorer.log) yield `the outputs of the Model \`${scorer.name}\` are missing`
    return
  }
  const rows = seesActions(scorer) ? eligible.length : 1
  const wanted = rows * widthOf(scorer.output)
  const { outputs } = model
  if (outputs !== undefined && outputs.length !== wanted) {
    yield `${outputs.length} outputs of the Model, and ${wanted} by its width and the ${eligible.length} eligible actions`
  }
}
