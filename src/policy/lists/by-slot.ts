/** The number of a slot in a list of numbers from the first slot on, whose last is that of all that follow. */
export const bySlot = (numbers: readonly number[], slot: number): number => numbers[Math.min(slot, numbers.length - 1)]
