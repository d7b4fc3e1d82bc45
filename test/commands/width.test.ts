import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { displayWidth } from '../../src/ui/width.ts'
import { dapIn } from '../support/run-dap.ts'
import { changePolicy, shop } from './support.ts'

const WIDTHS = [40, 80, 100, 140]

/** Lines that are too wide and could have been broken: one word is left whole, and so is the only word beside a label. */
function tooWide({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }, columns: number): string[] {
  return `${stdout}${stderr}`
    .split('\n')
    .filter(line => displayWidth(line) > columns && line.trim().split(' ').length > 1)
}

const folder = mkdtempSync(join(tmpdir(), 'dap-width-'))

describe('what a command says', () => {
  it.each([
    'init --template bandit',
    'validate',
    'explain Policy.spec',
    'explain Policy.spec.algorithm',
    'explain Scenario.spec.world',
    'simulate',
    'simulate nothing',
    'evaluate',
    'train shop-offer',
    'decide shop-offer --context {} --explain',
    'validate nowhere',
    'new policy another --from',
  ])('fits the terminal: dap %s', { timeout: 60_000 }, async line => {
    for (const columns of WIDTHS) {
      const session = await dapIn({ folder, columns }, ...line.split(' '))
      expect(tooWide(session, columns)).toEqual([])
    }
  })

  it('fits the terminal where files have errors, whoever says so', { timeout: 60_000 }, async () => {
    const broken = mkdtempSync(join(tmpdir(), 'dap-width-broken-'))
    await dapIn(broken, 'init', '--template', 'bandit')
    const policy = join(broken, 'policies', 'shop-offer.yaml')
    writeFileSync(policy, readFileSync(policy, 'utf8').replace('type: thompson', 'type: thomson'))
    for (const command of ['validate', 'simulate', 'evaluate', 'plan', 'serve']) {
      for (const columns of WIDTHS) {
        const session = await dapIn({ folder: broken, columns }, command)
        expect(session.stdout + session.stderr).toContain('did you mean')
        expect(tooWide(session, columns)).toEqual([])
      }
    }
  })

  it('fits the terminal, of plans and what is deployed', async () => {
    const made = shop()
    for (const line of ['plan', 'status', 'deploy --yes', 'status', 'lock ls', 'plan', 'gc --yes']) {
      for (const columns of WIDTHS) expect(tooWide(await made.dap(line, { columns }), columns)).toEqual([])
      changePolicy(made)
    }
  })

  it('is whole where no terminal reads it', async () => {
    const { stdout } = await dapIn({ folder }, 'evaluate')
    expect(stdout).toMatch(
      /candidate +verdict +estimator +value +95 % interval +lift +95 % interval +sample size +largest weight\n/,
    )
    expect((await dapIn({ folder, columns: 80 }, 'evaluate')).stdout).toMatch(
      /no room for: .*largest weight; --json has all/,
    )
  })
})
