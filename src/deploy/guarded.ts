/** A single write to an endpoint, for who holds no lock. */
import type { Cloud, Endpoint, Labels } from './cloud.ts'
import { createBackoff, type Patience } from './patience.ts'

/** Writes labels to the endpoint as it was read, ABORTED where it is another by now. Tried again where it was not answered, unless a look shows it done. */
export async function writeLabels(cloud: Cloud, read: Endpoint, labels: Labels, patience: Patience): Promise<void> {
  const { id, etag } = read
  const backoff = createBackoff(patience)
  for (;;) {
    try {
      await cloud.updateEndpoint(id, { etag, labels })
      return
    } catch (failure) {
      await backoff('updateEndpoint', failure)
      const now = await cloud.getEndpoint(id)
      if (now !== undefined && now.etag !== etag && same(now.labels, labels)) return
    }
  }
}

const same = (a: Labels, b: Labels) =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value)
