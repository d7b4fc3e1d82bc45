import type { Readable } from 'node:stream'
import { problem } from '../api.ts'
import { refusal } from '../problems.ts'

/**
 * Reads the bodies of requests. What those hold together that have not come to their end is bounded: where it would be more, the largest
 * of them is refused, so that nobody who sends a little has to make room for who sends much.
 */
export interface Bodies {
  /** `announced`: its `content-length`; NaN where there is none. Calls `done` once. */
  read(payload: Readable, announced: number, done: (error: Error | null, body?: Buffer) => void): void
}

export interface BodyLimits {
  /** Bytes of a request's body. */
  readonly body: number
  /** Bytes of all bodies that are still arriving; one more body may come on top. */
  readonly arriving: number
}

/** What a piece costs beside its bytes, about: many small ones are no way round the bound. */
const PIECE_BYTES = 256

interface Arriving {
  held: number
  refuse(): void
}

export function createBodies(limits: BodyLimits): Bodies {
  const arriving = new Set<Arriving>()
  const most = limits.arriving + limits.body
  let held = 0

  /** At most once for so many bytes as the largest has sent. */
  function refuseLargest(): void {
    let largest: Arriving | undefined
    for (const each of arriving) if (largest === undefined || each.held > largest.held) largest = each
    largest?.refuse()
  }

  return {
    read(payload, announced, done) {
      if (announced > limits.body) {
        done(tooLarge())
        return
      }
      const pieces: Buffer[] = []
      let bytes = 0
      const self: Arriving = { held: 0, refuse: () => end(tooMuch()) }

      function end(error: Error | null): void {
        payload.off('data', take).off('end', whole).off('error', broken)
        if (self.held > 0) {
          arriving.delete(self)
          held -= self.held
        }
        if (error !== null) done(error)
        else done(null, pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes))
      }

      const whole = () => end(null)
      const broken = (error: Error) => end(Object.assign(error, { statusCode: 400 }))

      function take(piece: Buffer): void {
        bytes += piece.length
        if (bytes > limits.body) {
          end(tooLarge())
          return
        }
        pieces.push(piece)
        if (bytes === announced) return
        if (self.held === 0) arriving.add(self)
        const more = piece.length + PIECE_BYTES
        self.held += more
        held += more
        if (held > most) refuseLargest()
      }

      payload.on('data', take).on('end', whole).on('error', broken)
      payload.resume()
    },
  }
}

const tooLarge = () => refusal(problem('too-large', 'the body is larger than the server takes'))
const tooMuch = () =>
  refusal(problem('overloaded', 'too many bytes of bodies are still arriving, and most are of this one'))
