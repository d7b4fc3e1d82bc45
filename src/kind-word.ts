/** What commands, ids and files call a kind: `action-set` for ActionSet. */
export const kindWord = (kind: string): string => kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()

/** Is it what somebody calls a kind, with its dash or without, in upper or lower case? */
export const meansKind = (word: string, kind: string): boolean =>
  word.toLowerCase().replaceAll('-', '') === kind.toLowerCase()
