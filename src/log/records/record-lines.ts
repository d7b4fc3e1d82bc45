import { type LogLine, readRecord } from './read-record.ts'

/** Lines of a decision log, to be told one after the other; `place` is where one is, as whoever reads them knows it. */
export interface RecordLines<Place> {
  line(text: string, place: Place): void
  endOfFile(): void
}

/**
 * Hands on what each line is; blank ones are nothing. A line that is no JSON is a fault where another one follows, and torn where it is
 * the last of its file, as a killed writer leaves it.
 */
export function recordLines<Place>(
  take: (read: LogLine, place: Place) => void,
  torn: (place: Place) => void,
): RecordLines<Place> {
  let unreadable: { readonly read: LogLine; readonly place: Place } | undefined
  return {
    line(text, place) {
      if (text.trim() === '') return
      if (unreadable !== undefined) take(unreadable.read, unreadable.place)
      unreadable = undefined
      const read = readRecord(text)
      if ('fault' in read && read.fault.code === 'json') unreadable = { read, place }
      else take(read, place)
    },
    endOfFile() {
      if (unreadable !== undefined) torn(unreadable.place)
      unreadable = undefined
    },
  }
}
