/** The middle of some values, between the two in the middle of an even number; 0 of none. */
export const median = (values: ArrayLike<number>): number => {
  const sorted = Float64Array.from(values).toSorted()
  const middle = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
