import { describe, expect, it } from 'vitest'
import { answered, UNANSWERED } from '../../src/ui/live/answer.ts'

const said = (...inputs: readonly string[]) => inputs.reduce(answered, UNANSWERED).yes

describe('an answer', () => {
  it.each([
    ['y\r', true],
    ['yes\r', true],
    ['Yes \r', true],
    ['n\r', false],
    ['no\r', false],
    ['\r', false],
    ['\u001b', false],
    ['yep\r', undefined],
    ['y', undefined],
    ['yn\b\r', true],
    ['perhaps\ry\r', true],
    ['y\rn\r', true],
  ])('%j is %s', (input, yes) => {
    expect(said(input)).toBe(yes)
    // Letter by letter as in one paste.
    expect(said(...input)).toBe(yes)
  })
})
