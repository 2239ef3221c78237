/**
 * The points of a sweep, numbered: every place of the grid, every point of the sample there, every seed, every method, the
 * last going round fastest. Which point a number stands for depends on the sweep alone.
 */
import { Random } from "../../sim/kernel/random.ts"
import type { Override } from "../override.ts"
import type { PointRequest } from "../points.ts"
import type { Cell } from "../files/table.ts"
import type { Axis, GridAxis, SampleAxis, Setting } from "./axis.ts"
import { shuffled } from "./latin-hypercube.ts"

/** A sample: `places[point][axis]` in [0, 1). */
export interface Sample {
  readonly axes: readonly SampleAxis[]
  readonly places: readonly (readonly number[])[]
}

export interface Design {
  /** Axes of the grid, those that go in step together; the settings of one such group are equally many. */
  readonly grid: readonly (readonly GridAxis[])[]
  readonly sample: Sample | undefined
  readonly seeds: readonly number[]
  /** Places of the methods in the scenario. */
  readonly methods: readonly number[]
}

/** A point, and what the axes show of it. */
export interface DesignPoint extends PointRequest {
  readonly method: number
  readonly seed: number
  /** In the order of `axesOf`. */
  readonly cells: readonly Cell[]
}

export const axesOf = ({ grid, sample }: Design): readonly Axis[] => [...grid.flat(), ...(sample?.axes ?? [])]

const groupSize = (group: readonly GridAxis[]): number => group[0]?.settings.length ?? 1

/** How many points there are. */
export const sizeOf = ({ grid, sample, seeds, methods }: Design): number =>
  grid.reduce((product, group) => product * groupSize(group), 1) *
  (sample?.places.length ?? 1) *
  seeds.length *
  methods.length

/** The point of a number from 0 to `sizeOf` − 1. */
export const pointAt = (design: Design, index: number): DesignPoint => {
  let rest = index
  /** The next digit of the number, in a base of so many. */
  const digit = (base: number): number => {
    const value = rest % base
    rest = Math.floor(rest / base)
    return value
  }
  const { grid, sample, seeds, methods } = design
  const method = methods[digit(methods.length)]!
  const seed = seeds[digit(seeds.length)]!
  const places = sample?.places[digit(sample.places.length)] ?? []
  const sampled = (sample?.axes ?? []).map((axis, i) => axis.settingAt(places[i]!))
  // From the last axis to the first, so that the first goes round slowest.
  const settings = grid
    .toReversed()
    .map((group) => {
      const place = digit(groupSize(group))
      return group.map((axis) => axis.settings[place]!)
    })
    .toReversed()
    .flat()
  const all: readonly Setting[] = [...settings, ...sampled]
  const overrides: readonly Override[] = axesOf(design).map(({ field }, i) => ({
    field,
    value: all[i]!.value
  }))
  return { method, seed, overrides, cells: all.map(({ shown }) => shown) }
}

/** A part of a sweep: the `index`-th of `count`, from 1. */
export interface Shard {
  readonly index: number
  readonly count: number
}

export const WHOLE: Shard = { index: 1, count: 1 }

/**
 * The points of a shard in the order they are worth simulating in. Points are dealt out like shuffled cards: shards take
 * about equally long whatever the axes do to the cost of a point, and what is done tells how long the rest will take.
 */
export const dealt = (size: number, { index, count }: Shard): readonly number[] =>
  shuffled(size, new Random(1, "shards")).filter((_, place) => place % count === index - 1)
