import { kindWord } from '../../kind-word.ts'
import type { Kind } from '../../kinds.ts'
import type { Opened } from './repository.ts'

/** The kind's customary folder, or one that the project searches. */
export function folderOf(kind: Kind, { repository }: Opened): string {
  const customary = kind === 'Policy' ? 'policies' : `${kindWord(kind)}s`
  const { folders } = repository.project
  return folders.includes(customary) || folders.length === 0 ? customary : folders[0]
}
