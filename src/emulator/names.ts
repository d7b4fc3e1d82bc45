import { broken } from './rules.ts'
import { digits, type State } from './state.ts'

export interface Location {
  /** `projects/{number}/locations/{region}` */
  readonly path: string
  readonly number: string
  readonly region: string
}

export interface ResourceName extends Location {
  /** With the project's number, without a version. */
  readonly name: string
  readonly id: string
  /** What follows `@`. */
  readonly version: string | undefined
}

const PROJECT = '[a-z][a-z0-9.:-]*|[1-9][0-9]*'
const LOCATION = new RegExp(`^projects/(${PROJECT})/locations/([a-z0-9-]+)$`)
const RESOURCE = new RegExp(
  `^projects/(${PROJECT})/locations/([a-z0-9-]+)/(endpoints|models)/([A-Za-z0-9_-]+)(?:@([A-Za-z0-9-]+))?$`,
)

/** rule: project-number. A project's number follows from its id, and the state keeps it. */
function projectNumber(state: State, project: string): string {
  if (/^\d+$/.test(project)) return project
  const known = state.numbers.get(project)
  if (known) return known
  const number = numberOf(project)
  state.numbers.set(project, number)
  return number
}

/** The number of a project that is named by its id. */
export const numberOf = (project: string) => digits(12, 'project', project)

export function locationName(state: State, text: unknown, field: string): Location {
  const [, project, region] = LOCATION.exec(String(text ?? '')) ?? []
  if (!project)
    throw broken(
      'name-form',
      `Invalid resource name "${text ?? ''}" in ${field}: expected "projects/{project}/locations/{location}".`,
    )
  const number = projectNumber(state, project)
  return { path: `projects/${number}/locations/${region}`, number, region }
}

/** Only models may carry `@version`. */
export function resourceName(
  state: State,
  kind: 'endpoints' | 'models',
  text: unknown,
  field: string,
  versioned: 'versioned' | 'bare' = 'bare',
): ResourceName {
  const [, project, region, found, id, version] = RESOURCE.exec(String(text ?? '')) ?? []
  if (found !== kind || (version !== undefined && versioned === 'bare'))
    throw broken(
      'name-form',
      `Invalid resource name "${text ?? ''}" in ${field}: expected "projects/{project}/locations/{location}/${kind}/{id}".`,
    )
  const number = projectNumber(state, project)
  const path = `projects/${number}/locations/${region}`
  return { path, number, region, name: `${path}/${kind}/${id}`, id, version }
}

/** Any name below a location, with the project's number: `projects/my-project/locations/R/…` → `projects/123/locations/R/…`. */
export const numbered = (state: State, text: string): string =>
  text.replace(/^projects\/([^/]+)(?=\/|$)/, (_, project: string) => `projects/${projectNumber(state, project)}`)
