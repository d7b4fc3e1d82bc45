import type { Diagnostic } from '../../diagnostics.ts'
import type { SetAction } from '../../kinds.ts'
import { located } from '../opening/located.ts'
import type { Opened } from '../opening/repository.ts'

/** A warning for each set of which nothing can be taken at `now`, milliseconds since 1970: whoever reads it knows whether that is meant. */
export async function outOfDateDiagnostics(opened: Opened, now: number): Promise<Diagnostic[]> {
  const warnings: Diagnostic[] = []
  for (const set of opened.repository.all('ActionSet')) {
    const { reading } = await opened.readers.readSet(set)
    const message = 'list' in reading ? whyNothing(reading.list, now) : undefined
    if (message === undefined) continue
    const { spec } = set
    const path = ['spec', spec.until === undefined ? 'from' : 'until']
    const hint = 'mend the dates, or add an action without them'
    warnings.push(await located(opened, set, { severity: 'warning', code: 'semantic', message, hint, path }))
  }
  return warnings
}

/** Undefined where something can be taken. */
function whyNothing(list: readonly SetAction[], now: number): string | undefined {
  const to = list.filter(({ from }) => from !== undefined && now < Date.parse(from))
  const over = list.filter(({ until }) => until !== undefined && now >= Date.parse(until))
  if (to.length + over.length < list.length) return undefined
  // Dates of one form are in the order of their texts.
  const next = to.map(({ from }) => from as string).sort()[0]
  const last = over
    .map(({ until }) => until as string)
    .sort()
    .at(-1)
  const when = [
    next === undefined ? [] : `the next begins at ${next}`,
    last === undefined ? [] : `the last ended at ${last}`,
  ]
  return `no action can be taken now: ${when.flat().join(', ')}`
}
