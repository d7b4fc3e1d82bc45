import type { Posterior } from '../math/posterior.ts'
import type { Rng } from '../math/rng.ts'
import type { ConfiguredDefinition, Rewards } from './definition.ts'
import type { Hashing } from './hashing.ts'
import type { Layout } from './layout.ts'

export type { Posterior }

/**
 * What is learnt: the value of each action in a context, with its uncertainty. Actions are indices 0 … K−1; a context is
 * its features x: one row of d numbers, or, of a learner that actions share, a row an action. `predict` then read; `learn`, with the row of
 * the action, when the reward is known.
 */
export interface Learner {
  /** How many rewards have been learnt, over all actions: the t of UCB1. */
  readonly count: number
  /** K numbers: the rewards learnt of each action; 1, of all, where requests bring the actions; absent of a learner that does not tell them apart. */
  readonly counts?: Float64Array
  /** K numbers: the estimated value of each action in the context last predicted; +∞ while nothing is known of it. */
  readonly value: Float64Array
  /** K numbers: its standard error, where it gives `widths` in units of the reward's noise (1/√n, √(x·A⁻¹x)); +∞ while nothing is known. */
  readonly width: Float64Array
  /** Brings `value` up to date for a context, and `width`, which draws and posteriors need too, unless `widths` is false. */
  predict(x: Float64Array, widths?: boolean): void
  learn(action: number, x: Float64Array, reward: number): void
  /** One draw from the posterior of the action's value in the context last predicted; `scale` multiplies its spread. */
  draw(action: number, scale: number, rng: Rng): number
  /** That posterior itself, for exact probabilities; undefined while it is improper (nothing is known of the action). */
  posterior(action: number, scale: number): Posterior | undefined
  /**
   * Of a model that actions share, whose values depend on each other: draws that many models from the posterior, `scale` times as wide. What
   * it returns gives an action's value by each of them, at least as many numbers, overwritten by the next action's, in the context last
   * predicted, whose x must still be as it was.
   */
  models?(scale: number, draws: number, rng: Rng): (action: number) => Float64Array
  /** Of several models that are as likely as each other and are all there are: the action's value by each of them, in the context last predicted; overwritten by the next action's. */
  heads?(action: number): Float64Array
  /** Of a model that actions share: what the action's value gains by 1 more of the i-th component, where values are sums of such. */
  coefficient?(i: number, action: number): number
  /**
   * The learner's whole state as plain JSON values; `restore` continues exactly where it was, and throws a RangeError, with
   * nothing changed, for a state that is not this learner's.
   */
  state(): LearnerState
  restore(state: LearnerState): void
}

export type LearnerState = Readonly<Record<string, number | readonly number[]>>

/**
 * What an exploration can use of a learner beside its values:
 * `counts`, the rewards learnt of each action;
 * `means`, values that are the means of these rewards, whatever the context;
 * `widths`, standard errors in units of the rewards' noise, which nobody knows but who scales them;
 * `posterior`, to draw from and to integrate.
 */
export type Gift = 'counts' | 'means' | 'widths' | 'posterior'

/** A kind of learner, as a Policy names it. `Spec` is its part of the policy, after defaults. */
export interface LearnerDefinition<Spec extends { readonly type: string } = { readonly type: string }>
  extends ConfiguredDefinition {
  /** A word for tables; absent where the name says it all. */
  readonly note?: string
  /** Does it learn, or is it as it is written? */
  readonly learns: boolean
  readonly rewards: Rewards
  readonly gives: readonly Gift[]
  /** Its values are probabilities: it takes no exploration. */
  readonly standsAlone?: boolean
  /** The option that says a probability an action, if one does. */
  readonly distribution?: string
  /** Why the spread of its posterior cannot be scaled, and what can be done; absent where it can, in units of the rewards' noise. */
  readonly exactPosterior?: { readonly reason: string; readonly hint: string }
  /** It learns from the features of a context; absent of one that ignores contexts. */
  features?(spec: Spec): FeatureNeeds
  /** Values are σ of what is linear in the features: probabilities, whose log-odds add up. Widths are their standard errors as they are. */
  readonly link?: 'logit'
  /** Values, or with a `link` their log-odds, are linear in the features, and posteriors normal, so that a snapshot shows a coefficient a feature. */
  readonly coefficients?: boolean
  /** It does with actions of which none is known before: it tells them apart by their features, or not at all. */
  anyActions?(spec: Spec): boolean
  /** What a state weighs by slot of its hashes; the intercept is no slot of theirs. */
  slots?(state: LearnerState): readonly SlotWeight[]
  /** The length of the largest list of its state, where it may be too long. */
  numbers?(spec: Spec, actions: number, dimension: number, own?: number): number
  /**
   * A learner that knows nothing yet. `dimension` is that of the feature vector, whose `layout` says how many of its components are of each action's
   * own model, or that they are hashes; `capacity` the most actions at a time, which are other ones each time where `actions` is empty. A
   * RangeError for options that make no sense.
   */
  create(spec: Spec, actions: readonly string[], dimension: number, capacity: number, layout: Layout): Learner
  /** What it learns of a log: see `Statistics`. */
  sums(spec: Spec, actions: number, dimension: number, own?: number): LearnerSums
  /** How it is fitted to the rows of a log, where the sums say no more than how many there are. */
  passes?(spec: Spec, actions: number, dimension: number, hashing?: Hashing): Passes
  /**
   * Where every list of its state is a block of equal length an action, about that action alone, but for those that all `share`: the rest of
   * the state, made anew for other actions. Absent where states are not told apart by action.
   */
  carry?(state: LearnerState): LearnerState
  share?(spec: Spec): readonly string[]
}

export interface SlotWeight {
  /** undefined for the intercept. */
  readonly slot: number | undefined
  readonly value: number
  readonly width: number
}

export interface FeatureNeeds {
  /** Is a constant 1 added? */
  readonly intercept: boolean
  /** Is there a model that actions share, of contexts and actions, which sees a row an action? */
  readonly shared: boolean
  /** Has each action a model of its own beside it, of what does not differ between actions? That comes first in the rows. */
  readonly own?: boolean
  /** Are rows hashes, of all that there is? */
  readonly hashed?: boolean
  /** Are rows what a Model gives, and nothing else? Its name. */
  readonly model?: string
}

/** The sums that a learner is made of beside [n, Σw, Σw²] an action: a block of `width` numbers an action, and one of `shared` for all (none where absent). */
export interface LearnerSums {
  readonly width: number
  readonly shared?: number
  /** Adds a row to its action's block, which begins at `at`, and to that of all, at `shared`. */
  add(sums: Float64Array, at: number, x: Float64Array, reward: number, weight: number, shared: number): void
  /**
   * The state of a learner that has learnt them. `counts`: how many rewards of equal weight each action's are worth; `sum` is the i-th number
   * of an action's block, `shared` of that of all, scaled accordingly.
   */
  state(counts: Float64Array, sum: (action: number, i: number) => number, shared: (i: number) => number): LearnerState
}

/** Rows that are passed over again and again: those of a batch. */
export interface PassRows {
  readonly rows: number
  /** rows × dimension numbers: what the learner saw of each action that was taken. */
  readonly x: Float64Array
  readonly action: Int32Array
  readonly reward: Float64Array
  /** What each row counts; absent where all count 1. */
  readonly weight: Float64Array | undefined
}

/**
 * How a learner is fitted whose sums do not say all: it passes over the rows until nothing is to be gained, and each pass is a fold. Parts of a pass
 * may be made anywhere; they are added in the order of the batches, so that the same rows make the same learner, bit for bit.
 */
export interface Passes {
  /** What the rows of a batch say at a point: a part, for `Fit.add`. `curved`: of the curvature, too. */
  fold(rows: PassRows, point: Float64Array, curved: boolean): Float64Array
  /**
   * @param counts How many rewards of equal weight each action's rows are worth.
   * @param scale What weights are multiplied by to come to that, by action.
   * @param from Where to start; without it, from nothing.
   */
  start(counts: Float64Array, scale: Float64Array, from?: LearnerState): Fit
}

export interface Fit {
  /** Where the rows are to be folded next, and whether their curvature is wanted. */
  readonly point: Float64Array
  readonly curved: boolean
  /** Takes the parts of a pass, batch by batch. */
  add(part: Float64Array): void
  /** The pass is over: is there to be another? */
  step(): boolean
  /** What was learnt, once there is none. */
  state(): LearnerState
  /** How near the optimum that is. */
  readonly report: FitReport
}

export interface FitReport {
  readonly passes: number
  /** Was it near enough to stop, or were there too many passes? */
  readonly converged: boolean
  /** About how many standard deviations of the posterior the optimum is away. */
  readonly distance: number
}
