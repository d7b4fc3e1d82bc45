/** A single write to an endpoint, for who holds no lock. */
import { canonicalJson } from '../../policy/digest.ts'
import type { Memory } from '../memory.ts'
import { createBackoff, type Patience } from '../patience.ts'
import type { Cloud, Route } from '../routes.ts'

/** Writes what is to be remembered of the endpoint as it was read, ABORTED where it is another by now. Tried again where it was not answered, unless a look shows it done. */
export async function writeMemory(cloud: Cloud, read: Route, memory: Memory, patience: Patience): Promise<void> {
  const backoff = createBackoff(patience)
  for (;;) {
    try {
      await cloud.updateRoute(read, { memory })
      return
    } catch (failure) {
      await backoff(failure)
      const now = await cloud.getRoute(read.id)
      if (now?.memory !== undefined && now.version !== read.version && isWritten(memory, now)) return
    }
  }
}

/** A split of traffic may be more than the target has room for. */
function isWritten(wanted: Memory, { memory, intact }: Route): boolean {
  const { traffic, ...rest } = wanted
  return intact && canonicalJson(memory) === canonicalJson({ ...rest, traffic: memory?.traffic && traffic })
}
