/** Pareto front: what is better in one respect only by being worse in another. */

/** Whether `a` is at least as good everywhere, and better somewhere; larger is better. */
const dominates = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => value >= b[i]!) && a.some((value, i) => value > b[i]!)

/** Those that no other dominates, in their order; `goods` give what there should be much of. Equals stay together. */
export const paretoFront = <A>(all: readonly A[], goods: readonly ((one: A) => number)[]): readonly A[] => {
  const values = all.map((one) => goods.map((good) => good(one)))
  return all.filter((_, i) => !values.some((other) => dominates(other, values[i]!)))
}
