/**
 * What `@marcbachmann/cel-js` asks of a host when it is loaded, for engines that have none. Of all that it does with them rules reach one:
 * `string(b'…')`. Bytes that are no UTF-8 are an error here.
 */

export class TextEncoder {}

export class TextDecoder {
  decode(bytes: Uint8Array): string {
    return decodeURIComponent(Array.from(bytes, byte => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  }
}
