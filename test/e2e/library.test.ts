import { describe, expect, it } from 'vitest'

/** The package as a program that depends on it sees it: by its name, through `exports`, as built. */
describe('the library', () => {
  it('loads a repository, makes a decision and simulates', async () => {
    const { createPolicy, decide, finish, loadRepository, prepare } = await import('@dap-platform/dap')
    const text = `apiVersion: dap/v1
kind: Policy
metadata: { name: offer }
spec:
  context: {}
  actions: [{ id: none }, { id: gold }]
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
---
apiVersion: dap/v1
kind: Scenario
metadata: { name: week }
spec:
  world: { type: bernoulli, means: { none: 0.1, gold: 0.3 } }
  policies: [offer]
  horizon: 50
  replications: 4
`
    const repository = await loadRepository([{ path: 'all.yaml', text }])
    expect(repository.diagnostics).toEqual([])
    const [resource] = repository.all('Policy')
    const decision = decide(createPolicy(resource.name, resource.spec, resource.digest), {
      decisionId: 'd1',
      context: {},
    })
    expect(decision).toMatchObject({ propensities: [0.5, 0.5], servedBy: 'policy' })
    const [scenario] = repository.all('Scenario')
    const simulation = prepare({ scenario, policies: [resource] })
    expect(finish(simulation, [simulation.play(0, 2), simulation.play(2, 4)])).toMatchObject({ replications: 4 })
  })

  it('reads tables through DuckDB', async () => {
    const { openTables } = await import('@dap-platform/dap/duckdb')
    await expect(openTables().columns({ format: 'csv', paths: ['/nowhere.csv'] })).rejects.toThrow('nowhere.csv')
  })
})
