import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FORMATS, faultyLog, openSite, type Site, type Whole, wholeLog } from '../support/log-faults.ts'

/** `node scripts/log-faults.ts` does the same with more faults, in larger logs. */
const FAULTS = 20
const ROWS = 2200
const SEED = 1

describe.each(FORMATS)('a fault at a random place of a log of format %s', format => {
  let whole: Whole
  let site: Site
  beforeAll(async () => {
    whole = await wholeLog(format, ROWS, SEED)
    site = openSite(whole)
  })
  afterAll(() => site.remove())

  it('is none where there is none', async () => {
    expect(await site.whole()).toEqual([])
  })

  it('is an error that names its place, from every command', async () => {
    const misses: string[] = []
    for (let n = 0; n < FAULTS; n++) misses.push(...(await site.check(await faultyLog(whole, n, SEED))).misses)
    expect(misses).toEqual([])
  })
})
