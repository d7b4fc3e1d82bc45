import type { Cloud, Place } from '../deploy/cloud.ts'
import { DapError } from '../errors.ts'

export async function vertexCloud(place: Place, _environment: (name: string) => string | undefined): Promise<Cloud> {
  throw new DapError(`nothing reaches ${place.project} yet`)
}
