/** A repository's own name: nothing that people choose, so that no two repositories have the same. */
import { readDocuments, withSpecField } from './spec-field.ts'

/** The `projectId` that the text of a `dap.yaml` has. */
export function projectIdOf(text: string): string | undefined {
  const documents = readDocuments(text) ?? []
  const id: unknown = documents[projectIn(text)]?.getIn(['spec', 'projectId'])
  return typeof id === 'string' ? id : undefined
}

/** Which of the documents is the Project's. */
const projectIn = (text: string) =>
  Math.max(
    0,
    (readDocuments(text) ?? []).findIndex(document => document.get('kind') === 'Project'),
  )

/** The text of a `dap.yaml` with another one, and everything else as it is, to the letter; undefined where it cannot be read. */
export const withProjectId = (text: string, id: string): string | undefined =>
  withSpecField(text, projectIn(text), 'projectId', id)
