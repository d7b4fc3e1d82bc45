import type { ConfiguredDefinition } from '../policy/definition.ts'

/** A list that is shown, slot by slot from the top. */
export interface Shown {
  /** How many slots it has, n; the arrays may be longer. */
  readonly slots: number
  /** The probability of a click on the slot's action where it is looked at, and alone; 0 of an empty slot. */
  readonly q: Float64Array
  /** Equal for actions that are alike, as `ClickModel.same` has it; −1 of an empty slot. */
  readonly kind: Int32Array
}

/**
 * What people click in a list. There is one uniform for each action at each slot in a round, whoever shows it there: so two policies that show
 * the same get the same clicks.
 */
export interface ClickModel {
  /** The feature by whose equal values actions are alike; absent where it does not matter which are. */
  readonly same?: string
  /** Writes the probability of a click on each slot, over all chances, into `out`, n numbers; returns their sum. */
  expected(shown: Shown, out: Float64Array): number
  /** Writes 1 or 0 for each slot, by the uniforms `u` of the actions there, into `out`, n numbers; returns how many clicks. */
  draw(shown: Shown, u: Float64Array, out: Float64Array): number
  /**
   * The list of the most expected clicks that can be made of `count` actions, in the order of its slots: their places in `q` and `kind`, into
   * `out`; the first of those that are equal. Returns how many, the fewer of `count` and `slots`.
   */
  best(q: Float64Array, kind: Int32Array, count: number, slots: number, out: Int32Array): number
}

/** A kind of click model, as a world names it. `Spec` is its part of the scenario, after defaults. */
export interface ClickDefinition<Spec extends { readonly type: string } = { readonly type: string }>
  extends ConfiguredDefinition {
  /** What no model can be made of. */
  misfits?(spec: Spec): readonly { readonly option: string; readonly message: string; readonly hint: string }[]
  create(spec: Spec): ClickModel
}
