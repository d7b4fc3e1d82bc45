/**
 * Does things in bursts: what came in one turn of the event loop is done at its end, a stage after the other. A server that answers each
 * request as it comes wakes for each a client that fell asleep meanwhile, and that costs more than a decision; and what is done to many
 * requests in a row finds its code and its numbers still in the cache. `npm run bench -- serve` answers half as many again for it.
 */
export type Bursts = (work: () => () => void) => void

/** So many are a burst, also in the middle of a turn: nobody need wait for thousands, nor hold their memory. */
const AT_ONCE = 32

/** `work` is the first stage of one of them, and what it returns the last. Neither may throw. */
export function createBursts(): Bursts {
  let waiting: (() => () => void)[] = []

  function burst(): void {
    const all = waiting
    waiting = []
    const ends = all.map(work => work())
    for (const end of ends) end()
  }

  return work => {
    if (waiting.push(work) === 1) setImmediate(burst)
    if (waiting.length === AT_ONCE) burst()
  }
}
