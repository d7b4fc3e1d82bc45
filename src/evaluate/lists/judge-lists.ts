import { DapError } from '../../errors.ts'
import type { CandidateSpec, RewardModelSpec } from '../../kinds.ts'
import type { DecisionLog } from '../../log/rows/decision-log.ts'
import { eligibleSet } from '../../log/rows/eligible.ts'
import { firstVector, type LoggedList, listReader } from '../../log/rows/list-reader.ts'
import type { NumberColumn, ValueColumn } from '../../log/tables.ts'
import type { Policy } from '../../policy/policy.ts'
import { listed } from '../../policy/pool.ts'
import type { CandidateResult } from '../../results.ts'
import type { Summed } from '../conclude.ts'
import { type Candidate, candidateSide, compare, type LogFacts, NOTHING } from '../estimates.ts'
import { type Estimator, estimatorName, seriesOfEstimator } from '../estimators/estimator.ts'
import { type Series, weight } from '../estimators/series.ts'
import { seriesOf } from '../influence.ts'
import { asking, type Judging, type JudgingParts } from '../judging.ts'
import { createLogRun } from '../log-run.ts'
import { rewardRange } from '../reward-range.ts'
import { capped } from '../verdicts/learnt.ts'
import { both, type Judgement, judge, judgeSlots, OK } from '../verdicts/verdict.ts'
import { arePaired, createPairs } from '../weights/pairs.ts'
import { createStrata } from '../weights/strata.ts'
import { candidateSeries } from '../weights/sums.ts'
import type { Units } from '../weights/units.ts'
import { createAdditive } from './additive.ts'
import { distanceOf, diversityOf } from './distance.ts'
import type { ListEstimator, ListEstimatorType } from './estimators/list-estimator.ts'
import { listEstimator } from './estimators/list-estimators.ts'
import { slotWeight } from './estimators/list-series.ts'
import { rips } from './estimators/rips.ts'
import { sips } from './estimators/sips.ts'
import type { ListCandidate } from './list-candidate.ts'
import { gapOf, listCoverage } from './list-coverage.ts'
import { addToCells, createListCells, fitLists, type ListModel } from './list-model.ts'
import { createListRun, type ListRun } from './list-run.ts'
import { createLoggedMarginals } from './marginals.ts'
import { listMetrics, shownShare } from './metrics.ts'
import { policyList, uniformList } from './policy-list.ts'
import { MOST_PREFIXES } from './prefixes.ts'

/** Candidates on lists: the weights of a row are those of its slots. */
export function judgeLists(given: JudgingParts): Judging {
  const { plan, parts, space, requests, originOf } = given
  const { spec, dataset } = plan
  const types = spec.estimators.flatMap(each => listEstimator(each) ?? [])
  const { decision } = given.columns
  if (decision === undefined) {
    throw new DapError(`a log of format ${dataset.spec.format} has no lists`, {
      hint: 'lists are judged on the decision log of dap itself, `format: dap`',
    })
  }
  const slots = slotCount(dataset.slots, [...parts.policies.values()])
  const marginalsOf = createLoggedMarginals(slots)
  const { model: modelSpec, keys } = neededModel(given, types)
  const lists = listReader(decision.list, decision.eligible, slots)
  const columns = { ...given.columns, propensities: firstVector(lists) }
  const strata = createStrata(undefined, keys, modelSpec)
  const strataPlaces = strata.columns.map(requests.add)
  const ofLog = createLogRun(columns, space, strata, requests)
  const listsAt = requests.add(lists)
  const eligibleAt = requests.add(eligibleSet)
  const rewardsAt = Array.from({ length: slots }, (_, slot) =>
    requests.add({ column: 'reward', type: 'reward', slot, optional: true }),
  )
  const placed = types.some(({ marginals }) => marginals)
  const additive = types.some(({ pairs }) => pairs) ? createAdditive(slots) : undefined
  const estimators = types.map(({ create }, i): ListEstimator => create(estimatorName(spec.estimators[i]), slots))
  const typeOf = (estimator: Estimator) => types[estimators.findIndex(({ name }) => name === estimator.name)]
  const whole = sips.create('sips', slots)
  const prefixed = { ...rips.create('rips', slots), alone: undefined }
  const offered = given.columns.offered !== undefined
  const distance = offered ? undefined : distanceOf(space.ids, entriesOf(parts.policies))
  let diversity = new Float64Array(0)
  const metrics = listMetrics(slots, distance !== undefined)
  const summed = [...estimators, whole, prefixed, ...metrics]
  const weights = candidateSeries(summed.flatMap(weightsOf))
  const series = candidateSeries([...weights, ...summed.flatMap(seriesOfEstimator)])
  const others = spec.candidates.filter(each => !('logging' in each)).length
  const paired = arePaired(others, slots * space.ids.length)
  const candidates = spec.candidates.map(each => {
    const candidate = createListCandidate(each, given, slots)
    const places = (candidate?.columns ?? []).map(requests.add)
    return {
      name: each.name,
      candidate,
      places,
      run: createListRun(candidate, series, weights, slots, space.ids.length, paired),
    }
  })
  /** Of the candidates that did not make the log, by their places among themselves. */
  const runs = candidates.filter(({ candidate }) => candidate !== undefined).map(({ run }) => run)
  const placeOf = candidates.map(({ run }) => runs.indexOf(run))
  const pairs = createPairs(runs.length, 2 * slots)

  function compareRow(places: number): void {
    const prefixes = runs.map(({ reach }) => reach.prefix)
    const marginals = runs.map(({ reach }) => reach.placed)
    for (let k = 0; k < slots; k++) {
      pairs.compare(k, prefixes, k * places, (k + 1) * places)
      if (placed) pairs.compare(slots + k, marginals, k * places, (k + 1) * places)
    }
  }

  const cells = createListCells(space.ids.length, slots)
  const earned = { minReward: Infinity, maxReward: -Infinity, binary: true }
  /** By slot, how many lists had a reward there; and whether one had several. */
  const rewarded = new Float64Array(slots)
  let several = false
  let model: ListModel | undefined

  const values = <T>({ columns }: DecisionLog, place: number) => (columns[place] as ValueColumn).values as readonly T[]
  const { default: absent = 0, cap = Infinity } = given.columns.reward

  /** Of the rows that are judged: by slot, what it earned; 0 where nothing stands in it. */
  const rewardsBySlot = Array.from({ length: slots }, () => new Float64Array(0))

  function readRewards(chunk: DecisionLog): void {
    const { rows, columns } = chunk
    const all = values<LoggedList>(chunk, listsAt)
    for (let k = 0; k < slots; k++) {
      if (rewardsBySlot[k].length < rows) rewardsBySlot[k] = new Float64Array(rows)
      const came = (columns[rewardsAt[k]] as NumberColumn).values
      const rewards = rewardsBySlot[k]
      for (let i = 0; i < rows; i++) {
        const r = Number.isNaN(came[i]) ? absent : came[i]
        rewards[i] = stands(all[i], k) ? Math.min(cap, r) : 0
      }
    }
  }

  const alone = () => !several && pairsByChance(rewarded, ofLog.sums.rows) >= SURELY_SEEN

  return {
    ...asking(
      candidates.map(({ name, candidate, places }) => ({
        who: `candidate \`${name}\``,
        model: candidate?.model,
        places,
      })),
    ),
    get estimators() {
      return alone() ? estimators.map(each => ({ ...each, ...each.alone })) : estimators
    },
    ofLog,
    strata,
    strataPlaces,
    learns: modelSpec !== undefined,
    rowsOf(chunk) {
      const reward = new Float64Array(chunk.rows)
      const all = values<LoggedList>(chunk, listsAt)
      let { minReward, maxReward, binary } = earned
      readRewards(chunk)
      const first = new Int32Array(chunk.rows).fill(-1)
      for (const [k, each] of rewardsBySlot.entries()) {
        for (let i = 0; i < chunk.rows; i++) {
          const r = each[i]
          reward[i] += r
          if (r !== 0) {
            rewarded[k]++
            several ||= first[i] >= 0
            first[i] = k
          }
          if (!stands(all[i], k)) continue
          if (r < minReward) minReward = r
          if (r > maxReward) maxReward = r
          if (r !== 0 && r !== 1) binary = false
        }
      }
      Object.assign(earned, { minReward, maxReward, binary })
      return { ...chunk, reward }
    },
    learn(chunk, stratum) {
      const all = values<LoggedList>(chunk, listsAt)
      const eligible = values<Int32Array>(chunk, eligibleAt)
      for (const [k, rewards] of rewardsBySlot.entries()) {
        for (let i = 0; i < chunk.rows; i++) {
          if (!stands(all[i], k)) continue
          const h = chunk.standsFor?.[i] ?? 1
          addToCells(cells, strata.count(), stratum[i], k, eligible[i][all[i].places[k]], h, rewards[i])
        }
      }
    },
    fit() {
      if (modelSpec !== undefined) model = fitLists(cells, strata, keys, modelSpec)
    },
    add(log, groups, stratum) {
      const lists = values<LoggedList>(log, listsAt)
      const marginals = placed ? lists.map(marginalsOf) : undefined
      const eligible = values<Int32Array>(log, eligibleAt)
      if (distance !== undefined) {
        if (diversity.length < log.rows) diversity = new Float64Array(log.rows)
        for (let i = 0; i < log.rows; i++) diversity[i] = diversityOf(lists[i].places, eligible[i], distance)
      }
      const chunk = {
        diversity,
        log,
        lists,
        eligible,
        rewards: rewardsBySlot,
        groups,
        stratum,
        model,
        marginals,
        additive,
      }
      const opened = candidates.map(({ run, places }) =>
        run.open(
          chunk,
          places.map(place => log.columns[place]),
        ),
      )
      for (let i = 0; i < log.rows; i++) {
        for (let c = 0; c < opened.length; c++) opened[c].row(i)
        if (paired) compareRow(eligible[i].length)
      }
      for (const { close } of opened) close()
      if (paired && model !== undefined) {
        pairs.compareValues(
          opened.filter((_, c) => placeOf[c] >= 0).map(({ value }) => value),
          log.rows,
        )
      }
    },
    apart(a, b, { weight: by = weight }) {
      const [one, other] = [placeOf[a], placeOf[b]]
      if (!paired || one < 0 || other < 0) return undefined
      const gap = (c: number, d: number) => {
        const of = (first: number) => Array.from({ length: slots }, (_, k) => pairs.gap(first + k, c, d))
        return gapOf(by, of(0), of(slots))
      }
      const [upper, lower] = [gap(one, other), gap(other, one)]
      if (upper === undefined || lower === undefined) return undefined
      return { weights: { lower: -lower, upper }, values: pairs.values(one, other) }
    },
    rewards() {
      const { lower, upper, note } = rewardRange(dataset.spec, { ...ofLog.sums, ...earned })
      const most = alone() ? 1 : slots
      const notes = [...(note === undefined ? [] : [note]), ...(alone() ? [ALONE] : [])]
      return { lower: Math.min(0, most * lower), upper: Math.max(0, most * upper), notes }
    },
    summed: (facts, { units }, overall) =>
      candidates.map(({ name, candidate, run }): Summed => {
        const origin = originOf(name)
        const of = seriesOf(facts.frame, run.sums.totals, series)
        const logging = candidate === undefined
        const known = new Map(
          weights.map(by => {
            const totals = facts.frame.of(run.sums.totals[series.findIndex(({ key }) => key === by.key)])
            return [by.key, listCoverage(run.sums, by, totals.unit, facts, of, logging)]
          }),
        )
        const coverageOf = (by: Series) => {
          const coverage = known.get(by.key)
          if (coverage === undefined) throw new RangeError(`the weight ${by.key} was not summed`)
          return coverage
        }
        const judged = { of, coverageOf, run, units, logging }
        const gapOf = (one: ListEstimator, other: ListEstimator, [matters, by, than]: readonly string[]): Judgement => {
          const apart = logging ? undefined : beyondChance(judged, [one, other], facts, spec.interval.level)
          if (apart === undefined) return OK
          const said = `${Number(Math.abs(apart).toPrecision(3))} ${apart > 0 ? 'more' : 'less'}`
          const reason = `${matters}: by ${by} the candidate earns ${said} than by ${than}, which chance does not explain`
          return { verdict: 'caution', reasons: [reason] }
        }
        const doubt = gapOf(prefixed, whole, ['the lists interact', 'prefixes', 'whole lists'])
        /** Of what says nothing of other slots. */
        const doubtOf = (estimator: ListEstimator): Judgement => {
          const { marginals, pairs } = typeOf(estimator)
          if ((!marginals && !pairs) || isUnknown(typeOf(estimator), run)) return doubt
          return both(
            doubt,
            gapOf(estimator, prefixed, ['what stands above matters', `\`${estimator.name}\``, 'prefixes']),
          )
        }
        return {
          name,
          learntFrom: origin.from,
          logging,
          of,
          coverage: coverageOf(weight),
          direct: undefined,
          judgement: capped(logging ? both(judge(coverageOf(weight), units), overall) : overall, origin),
          byEstimator: {
            coverageOf(estimator) {
              const coverage = coverageOf(estimator.weight ?? weight)
              return isUnknown(typeOf(estimator), run) ? { ...coverage, maxWeight: 0 } : coverage
            },
            judgementOf: estimator =>
              judgeOne(estimator as ListEstimator, typeOf(estimator), judged, doubtOf(estimator as ListEstimator)),
          },
          lists: {
            doubt,
            metrics: [
              ...metrics.map(metric => metricResult(metric, judged, facts, spec.interval.level)),
              // Of what requests bring, the places alone are known, and they are no catalogue.
              ...(offered ? [] : [coverageResult(judged)]),
            ],
            slots: Array.from({ length: slots }, (_, slot) => {
              const { effectiveSampleSize, maxWeight, meanWeight } = coverageOf(slotWeight('prefix', slot)).support
              return { slot, effectiveSampleSize, maxWeight, meanWeight }
            }),
          },
        }
      }),
  }
}

const stands = ({ places }: LoggedList, slot: number): boolean => slot < places.length && places[slot] >= 0

const weightsOf = ({ weight: whole, weights, alone }: ListEstimator): readonly Series[] =>
  [...weights, whole, alone?.weight].filter(each => each !== undefined)

const ALONE =
  'no list had a reward in more than one slot, which chance does not explain: that is taken for the most that one can have'

/** Of so many lists with several rewards, chance leaves none once in a thousand logs. */
const SURELY_SEEN = 7

/** How many pairs of rewards lists would have, if slots had theirs without regard to each other. */
function pairsByChance(rewarded: Float64Array, lists: number): number {
  let pairs = 0
  for (let k = 1; k < rewarded.length; k++) {
    for (let j = 0; j < k; j++) pairs += (rewarded[j] * rewarded[k]) / lists
  }
  return pairs
}

interface Judged extends Pick<Candidate, 'of'> {
  readonly coverageOf: (by: Series) => Candidate['coverage']
  readonly run: ListRun
  readonly units: Units
  readonly logging: boolean
}

/** By the weights that the estimator rests on: it is as good as the worst of its slots. */
function judgeOne(
  { weights, name }: ListEstimator,
  type: ListEstimatorType,
  { coverageOf, run, units, logging }: Judged,
  doubt: Judgement,
): Judgement {
  if (logging) return OK
  if (isUnknown(type, run)) {
    return { verdict: 'refuse', reasons: [`\`${name}\` ${run.unplaced() ? UNPLACED : UNPAIRED}`] }
  }
  const { verdict, reasons } = judgeSlots(weights.map(coverageOf), units)
  const own: Judgement = { verdict, reasons: reasons.map(reason => `\`${name}\`: ${reason}`) }
  return type.assumes === undefined ? own : both(own, doubt)
}

/** Could what it needs not be had? */
const isUnknown = ({ marginals, pairs = false }: ListEstimatorType, run: ListRun): boolean =>
  (marginals && run.unplaced()) || (pairs && run.unpaired())

const UNPLACED = `needs to know how likely an action stands at a slot, whatever stands above: of lists with pins, quotas or floors of their own slots the log says only what was drawn from below the list that was shown, and a candidate of more than ${MOST_PREFIXES} prefixes is not visited list by list`

const UNPAIRED = `needs to know how likely two actions stand at two slots, which takes visiting every list: there are more than ${MOST_PREFIXES} prefixes, or the candidate puts actions where the log never does`

/** By how much one says more than the other does, on the same rows; undefined where that may be chance. */
function beyondChance(
  { of, coverageOf }: Judged,
  [one, other]: readonly ListEstimator[],
  facts: LogFacts,
  level: number,
): number | undefined {
  const sideOf = (estimator: ListEstimator) =>
    candidateSide(estimator, { of, coverage: coverageOf(estimator.weight ?? weight) }, undefined)
  // A largest weight that lists could have, and never did, would hide any gap: this is by what they had.
  const gap = compare(sideOf(one), sideOf(other), { ...facts, method: 'gaussian' }, [level])
  if (gap === null) return undefined
  const [{ lower, upper }] = gap.bounds
  return lower > 0 || upper < 0 ? gap.value : undefined
}

/** How much of all actions the candidate shows; without a number where its weights are refused. */
function coverageResult({ coverageOf, run, units, logging }: Judged): MetricResult {
  const refused = !logging && judge(coverageOf(weight), units).verdict === 'refuse'
  const value = refused ? null : shownShare(run.sums.exposure)
  return { metric: 'coverage', value, standardError: null, interval: null }
}

/** What is known of the actions of these policies; of two that know an action, the first tells. */
const entriesOf = (policies: JudgingParts['parts']['policies']) =>
  [...policies.values()].reverse().flatMap(({ spec }) => listed(spec.actions))

type MetricResult = NonNullable<CandidateResult['metrics']>[number]

/** Of whole lists, and so by their weights; without a number where these are refused. */
function metricResult(
  metric: ListEstimator,
  { of, coverageOf, units, logging }: Judged,
  facts: LogFacts,
  level: number,
): MetricResult {
  const coverage = coverageOf(weight)
  const refused = !logging && judge(coverage, units).verdict === 'refuse'
  const side = candidateSide(metric, { of, coverage }, undefined)
  const found = refused ? null : compare(side, NOTHING, { ...facts, rewards: { lower: 0, upper: 1 } }, [level])
  if (found === null) return { metric: metric.name, value: null, standardError: null, interval: null }
  const { value, error, method, bounds } = found
  return { metric: metric.name, value, standardError: error, interval: { method, level, ...bounds[0] } }
}

/** So many slots have the decisions of these policies. */
function slotCount(logged: number | undefined, policies: readonly Policy[]): number {
  const counts = [...new Set([...(logged === undefined ? [] : [logged]), ...policies.map(({ slots }) => slots.count)])]
  if (counts.length === 1) return counts[0]
  if (counts.length === 0) {
    throw new DapError('how many slots the lists have is not known', {
      hint: 'name the policy that made the log, `actions: { policy: NAME }` in the Dataset, or one as a candidate',
    })
  }
  throw new DapError(`the policies have ${counts.join(' and ')} slots`, {
    hint: 'a log of lists can judge lists of as many slots',
  })
}

/** The model that an estimator needs, and the columns that it tells apart beside action and slot. */
function neededModel(
  { plan: { spec }, columns, unknown }: JudgingParts,
  types: readonly ListEstimatorType[],
): {
  readonly model: Extract<RewardModelSpec, { type: 'tabular' }> | undefined
  readonly keys: readonly string[]
} {
  if (unknown) throw new DapError('lists are judged by their propensities, and the log has none')
  const needing = types.find(({ model }) => model)
  if (needing === undefined) return { model: undefined, keys: [] }
  const { rewardModel: model } = spec
  if (model?.type !== 'tabular') {
    throw new DapError(`the estimator \`${needing.type}\` needs a tabular \`spec.rewardModel\``, {
      hint: 'for example `rewardModel: { type: tabular, by: [action, slot] }`',
    })
  }
  const keys = model.by.filter(name => name !== 'action' && name !== 'slot').map(columns.resolve)
  return { model, keys }
}

/** Undefined of the policy that made the log. */
function createListCandidate(
  spec: CandidateSpec,
  { parts, space, columns }: JudgingParts,
  slots: number,
): ListCandidate | undefined {
  if ('logging' in spec) return undefined
  if ('uniform' in spec) return uniformList(slots)
  const policy = parts.policies.get(spec.name)
  if (policy !== undefined) return policyList(policy, space, columns, slots, parts.openRuntime)
  throw new DapError(
    `candidate \`${spec.name}\`: of lists a \`policy\`, \`uniform: true\` and \`logging: true\` can be judged`,
    {
      hint: 'make it a Policy, or judge it on decisions for one action',
    },
  )
}
