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

// Scratch, so that sharing allocates nothing: what is left of each resource, and how often open flows use it.
let left = new Float64Array(16)
let uses = new Int32Array(16)
const open: Sharer[] = []

/** Sets the rate of every flow. `capacities[r]`: what resource r has to give. */
export const shareMaxMin = (capacities: readonly number[], flows: readonly Sharer[]): void => {
  if (capacities.length > left.length) {
    left = new Float64Array(2 * capacities.length)
    uses = new Int32Array(2 * capacities.length)
  }
  for (const { resources } of flows) for (const r of resources) uses[r] = 0
  for (const flow of flows) {
    open.push(flow)
    for (const r of flow.resources) {
      left[r] = capacities[r]!
      uses[r]!++
    }
  }
  while (open.length > 0) settle(commonRate())
}

/** How far all open flows can rise together. */
const commonRate = (): number => {
  let level = Number.POSITIVE_INFINITY
  for (const { cap, resources } of open) {
    if (cap < level) level = cap
    for (const r of resources) if (left[r]! / uses[r]! < level) level = left[r]! / uses[r]!
  }
  return level
}

/** Gives `level` to the open flows that cannot rise beyond it, and closes them. */
const settle = (level: number): void => {
  // Marked first: what is left of a resource changes as its flows are settled.
  for (const flow of open) flow.rate = canRise(flow, level) ? -1 : level
  let rising = 0
  for (const flow of open) {
    if (flow.rate < 0) {
      open[rising++] = flow
      continue
    }
    for (const r of flow.resources) {
      left[r] = Math.max(0, left[r]! - level)
      uses[r]!--
    }
  }
  open.length = rising
}

const canRise = ({ cap, resources }: Sharer, level: number): boolean => {
  if (cap <= level) return false
  for (const r of resources) if (left[r]! / uses[r]! <= level) return false
  return true
}
