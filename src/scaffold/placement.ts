/** What becomes of the files of a new repository in a folder that is not empty. */

export interface NewFile {
  /** Relative, with forward slashes. */
  readonly path: string
  readonly content: string | Uint8Array
}

/** What stands at a path: nothing, the same, something else, or a file where a folder has to be. */
export type Standing = 'nothing' | 'same' | 'other' | 'no-folder'

export interface Placed extends NewFile {
  /** `keep`: theirs stays; `extend`: lines are added to theirs; `collide`: theirs would be lost. */
  readonly action: 'write' | 'keep' | 'extend' | 'overwrite' | 'collide'
}

/** Of these theirs is as good as ours. */
const THEIRS = ['README.md']

/** Of these theirs and ours are one, line by line. */
const LINES = ['.gitignore', '.dockerignore']

/** Where each file goes. `theirs` has the text of those files of `isExtended` that are there. */
export function place(
  files: readonly NewFile[],
  standing: ReadonlyMap<string, Standing>,
  theirs: ReadonlyMap<string, string>,
  force: boolean,
): Placed[] {
  return files.map((file): Placed => {
    const found = standing.get(file.path) ?? 'nothing'
    const text = theirs.get(file.path)
    if (found === 'no-folder') return { ...file, action: 'collide' }
    if (found !== 'other') return { ...file, action: 'write' }
    if (THEIRS.includes(file.path)) return { ...file, action: 'keep' }
    if (text !== undefined && typeof file.content === 'string') return extended(file.path, text, file.content)
    return { ...file, action: force ? 'overwrite' : 'collide' }
  })
}

export const isExtended = (path: string): boolean => LINES.includes(path)

function extended(path: string, theirs: string, ours: string): Placed {
  const has = new Set(theirs.split(/\r?\n/).map(line => line.trim()))
  const more = ours.split('\n').filter(line => line !== '' && !has.has(line.trim()))
  if (more.length === 0) return { path, content: theirs, action: 'keep' }
  const end = theirs === '' || theirs.endsWith('\n') ? '' : '\n'
  return { path, content: `${theirs}${end}${more.join('\n')}\n`, action: 'extend' }
}
