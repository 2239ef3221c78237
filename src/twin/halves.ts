/** Two halves of some values, one to fit to and one to judge by, alike in what they are about. */

/** The Thue–Morse sequence: one of every two, and no period that what is chosen from could have as well. */
const thueMorse = (i: number): number => (i === 0 ? 0 : (i & 1) ^ thueMorse(i >> 1))

/** One of every two values of like `work`, and the other. By their order alone, kinds that take turns would come to a half each. */
export const halves = <A>(
  values: readonly A[],
  work: (value: A) => string
): readonly [readonly A[], readonly A[]] => {
  const alike = values
    .map((value) => ({ value, key: work(value) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const half = (which: number): readonly A[] =>
    alike.filter((_, i) => thueMorse(i) === which).map(({ value }) => value)
  return [half(0), half(1)]
}
