/**
 * The search itself, apart from what it searches: which option serves a whole workload with the least, when trying one is
 * dear and theory bounds what any can do. Options of a group are tried in order of what theory promises; one that could not
 * beat the best so far, even as theory has it, is not tried at all; one that could is tried at the one load at which it
 * would; only if it stands there is it worth finding out how much more it takes.
 *
 * Exact, as far as `stands` falls with the load and bounds hold: no option beats the one found. Deterministic.
 */
import { Effect } from "effect"

/** Something that serves, so many of it side by side. */
export interface Option {
  /** What one costs, in whatever is to be least. */
  readonly cost: number
  /** The largest share of the workload one can take, by theory; it takes less in fact. */
  readonly bound: number
}

/** How much one takes, and what the whole workload then costs. */
export interface Found<O extends Option> {
  readonly option: O
  /** The largest share of the workload one was seen to take. */
  readonly capacity: number
  readonly count: number
  /** Of all that are needed. */
  readonly cost: number
}

/** What became of the options of a group. */
export interface Tally {
  /** Not tried: theory says that they cannot beat the best. */
  readonly theory: number
  /** Tried once, at the load at which they would. */
  readonly beaten: number
  /** Tried at several loads. */
  readonly measured: number
}

export interface SearchLimits {
  /** Shares below this are not looked at. */
  readonly least: number
  /** Nor above: that one takes half as much again is headroom enough. */
  readonly most: number
  /** Capacities are found to this ratio. */
  readonly precision: number
}

export const LIMITS: SearchLimits = { least: 1 / 512, most: 1.5, precision: 1.07 }

/** What simulations come to of what theory promises, as a first guess. */
const TYPICAL = 0.65

/** Where a first guess is too much, the next is so much less. */
const STEP_DOWN = 1.6

/** What is as dear must leave so much more to spare, or it is as good. */
const NOTABLY = 1.03

/** Exactly one third three times is one. */
const CRUMB = 1e-9

/** How many are needed of something that takes such a share. */
export const countFor = (capacity: number): number => Math.max(1, Math.ceil(1 / capacity - CRUMB))

/** The best an option can come to. */
export const leastCost = ({ bound, cost }: Option): number =>
  bound > 0 ? countFor(Math.min(bound, Number.MAX_VALUE)) * cost : Number.POSITIVE_INFINITY

/** Whether `a` is the better: cheaper, or as cheap and less of it used. */
export const isBetter = <O extends Option>(a: Found<O>, b: Found<O>): boolean =>
  a.cost !== b.cost ? a.cost < b.cost : a.option.cost / a.capacity < b.option.cost / b.capacity

/** The share of the workload an option must take to beat what was found; undefined if none does. */
export const toBeat = ({ cost }: Option, best: Found<Option>): number | undefined => {
  const count = Math.floor(best.cost / cost + CRUMB)
  if (count < 1) return undefined
  const enough = 1 / count
  // As many for the same cost must also leave more to spare.
  return Math.abs(count * cost - best.cost) > CRUMB * best.cost
    ? enough
    : Math.max(enough, (cost / best.option.cost) * best.capacity * NOTABLY)
}

/** Whether an option stands a load; effects and errors are the caller's. */
export type Stands<O, E, R> = (option: O, load: number) => Effect.Effect<boolean, E, R>

/** The largest load an option stands, from one that it does, up to its bound. */
const upFrom = Effect.fnUntraced(function* <O extends Option, E, R>(
  option: O,
  from: number,
  stands: Stands<O, E, R>,
  { most, precision }: SearchLimits
) {
  const top = Math.min(option.bound, most)
  let low = from
  let high = Math.max(top, from)
  while (high / low > precision) {
    const middle = Math.sqrt(low * high)
    if (yield* stands(option, middle)) low = middle
    else high = middle
  }
  // One less might do, if it takes just what that asks for.
  const fewer = 1 / (countFor(low) - 1)
  return fewer < high && (yield* stands(option, fewer)) ? fewer : low
})

/** The largest load an option stands, from nothing known; undefined if none from `least` on. */
const capacityOf = Effect.fnUntraced(function* <O extends Option, E, R>(
  option: O,
  stands: Stands<O, E, R>,
  limits: SearchLimits
) {
  const { least, most } = limits
  const start = Math.max(least, TYPICAL * Math.min(option.bound, most))
  if (yield* stands(option, start)) return yield* upFrom(option, start, stands, limits)
  for (let failed = start; failed > least;) {
    const load = Math.max(least, failed / STEP_DOWN)
    if (yield* stands(option, load))
      return yield* upFrom({ ...option, bound: failed }, load, (_, at) => stands(option, at), limits)
    // What nobody can do under the lightest load is no matter of load.
    if (failed === start && load > least && !(yield* stands(option, least))) return undefined
    failed = load
  }
  return undefined
})

/** The best of a group of options, and how it was found; undefined if none stands any load. */
export const bestOf = Effect.fnUntraced(function* <O extends Option, E, R>(
  options: readonly O[],
  stands: Stands<O, E, R>,
  limits: SearchLimits = LIMITS
) {
  const found = (option: O, capacity: number): Found<O> => {
    const count = countFor(capacity)
    return { option, capacity, count, cost: count * option.cost }
  }
  const order = options
    .map((option, place) => ({ option, place, least: leastCost(option) }))
    .toSorted(
      (a, b) =>
        a.least - b.least ||
        a.option.cost / a.option.bound - b.option.cost / b.option.bound ||
        a.place - b.place
    )
  let best: Found<O> | undefined
  let tally: Tally = { theory: 0, beaten: 0, measured: 0 }
  for (const { option } of order) {
    if (best === undefined) {
      const capacity = yield* capacityOf(option, stands, limits)
      tally = { ...tally, measured: tally.measured + 1 }
      if (capacity !== undefined) best = found(option, capacity)
      continue
    }
    const load = toBeat(option, best)
    if (load === undefined || load > Math.min(option.bound, limits.most)) {
      tally = { ...tally, theory: tally.theory + 1 }
      continue
    }
    if (!(yield* stands(option, load))) {
      tally = { ...tally, beaten: tally.beaten + 1 }
      continue
    }
    tally = { ...tally, measured: tally.measured + 1 }
    const one = found(option, yield* upFrom(option, load, stands, limits))
    if (isBetter(one, best)) best = one
  }
  return { best, tally }
})
