import { DapError, FileError } from '../../errors.ts'

/** A file that a resource names, as it was read. */
export interface NamedFile {
  /** As diagnostics name it. */
  readonly path: string
  /** Absolute, links resolved. */
  readonly real: string
  /** Absent of a format that has no lines. */
  readonly text?: string
}

/** What keeps a file from being read that is known by a name, in words of that name; anything but a DapError is thrown on. */
export function unreadable(error: unknown, file: string): { readonly message: string; readonly hint?: string } {
  if (!(error instanceof DapError)) throw error
  return {
    message: error instanceof FileError ? error.saying(`\`${file}\``) : error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

/** Answers once for each text that is the same, however often it is asked. */
export function onceFor<Of, Answer>(
  keyOf: (of: Of) => string,
  answer: (of: Of) => Promise<Answer>,
): (of: Of) => Promise<Answer> {
  const known = new Map<string, Promise<Answer>>()
  return of => {
    const key = keyOf(of)
    const given = known.get(key) ?? answer(of)
    known.set(key, given)
    return given
  }
}
