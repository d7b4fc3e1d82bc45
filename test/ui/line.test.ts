import { describe, expect, it } from 'vitest'
import { type Line, typedOn } from '../../src/ui/live/line.ts'

const check = (text: string) => (/^[a-z]+$/.test(text) ? undefined : `no ${text}`)
const typing = (...inputs: readonly string[]) =>
  inputs.reduce<Line>((line, input) => typedOn(line, input, 'shop', check), { typed: '' })

describe('a line of text', () => {
  it('is what was typed at Enter, or what Enter alone means', () => {
    expect(typing('c', 'ab', '\b', 'r', '\r')).toEqual({ typed: 'car', value: 'car' })
    expect(typing('\r')).toMatchObject({ value: 'shop' })
    expect(typing('cafe\r', 'more')).toMatchObject({ value: 'cafe' })
  })

  it('is not taken with a fault, which goes at the next letter', () => {
    expect(typing('A1\r')).toEqual({ typed: 'A1', fault: 'no A1' })
    expect(typing('A1\r', '\b\b', 'a\r')).toEqual({ typed: 'a', value: 'a' })
  })
})
