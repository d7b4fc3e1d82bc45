/** A whole number as people read it: 12,345. */
export const groupedDigits = (count: number): string => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
