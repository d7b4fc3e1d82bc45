import type { PolicySpec } from '../../src/kinds.ts'
import type { EvaluationResult, SimulationResult } from '../../src/results.ts'

/** A context of every type, for rules. */
export const CONTEXT_FIELDS: PolicySpec['context'] = {
  level: { type: 'integer' },
  spend: { type: 'number' },
  platform: { type: 'string', enum: ['ios', 'android'] },
  name: { type: 'string' },
  vip: { type: 'boolean' },
  taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
}

type Evaluated = Omit<EvaluationResult, 'gates' | 'passed'>
type Simulated = Omit<SimulationResult, 'expectations' | 'passed' | 'digest'>

/** A result for gates: all of it that no gate looks at, and what they do. */
export const evaluationOf = (parts: Pick<Evaluated, 'candidates' | 'differences'>): Evaluated => ({
  schema: 'dap.evaluation/v1',
  evaluation: 'e',
  dataset: {
    name: 'd',
    digest: '',
    rows: 1000,
    dropped: 0,
    meanReward: 0.1,
    units: { known: false, count: 1000, effective: 1000, largestShare: 0.001 },
    judgedOn: null,
    notes: [],
  },
  ...parts,
})

/** The same for expectations. */
export const simulationOf = (parts: Pick<Simulated, 'policies' | 'differences'>): Simulated => ({
  schema: 'dap.simulation/v1',
  scenario: 's',
  seed: 1,
  horizon: 100,
  replications: 10,
  level: 0.95,
  ...parts,
})
