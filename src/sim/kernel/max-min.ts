/**
 * Max–min fair sharing by progressive filling: all rates rise together until a resource is full or a flow has reached its
 * cap; the flows held back there are settled, and the others rise on. No flow can then gain without taking from one that
 * has no more than itself (Bertsekas and Gallager, Data Networks, 2nd ed., 6.5.2).
 */

/** A flow that wants as much as it can get. */
export interface Sharer {
  /** Resources it passes through; one named twice is used twice (a copy inside one memory). */
  readonly resources: readonly number[]
  /** Most it can use, whatever is free. */
  readonly cap: number
  /** Its share: set here. */
  rate: number
}

/** Sets the rate of every flow. `capacities[r]`: what resource r has to give. */
export const shareMaxMin = (capacities: readonly number[], flows: Iterable<Sharer>): void => {
  const left = [...capacities]
  const uses = capacities.map(() => 0)
  let open = [...flows]
  for (const { resources } of open) for (const r of resources) uses[r]!++
  while (open.length > 0) {
    // How far all that are open can rise together.
    let level = Number.POSITIVE_INFINITY
    for (const { cap } of open) if (cap < level) level = cap
    for (let r = 0; r < left.length; r++) if (uses[r]! > 0) level = Math.min(level, left[r]! / uses[r]!)
    const full = left.map((free, r) => uses[r]! > 0 && free / uses[r]! <= level)
    const rising: Sharer[] = []
    for (const flow of open) {
      if (flow.cap > level && !flow.resources.some((r) => full[r])) {
        rising.push(flow)
        continue
      }
      flow.rate = level
      for (const r of flow.resources) {
        left[r] = Math.max(0, left[r]! - level)
        uses[r]!--
      }
    }
    open = rising
  }
}
