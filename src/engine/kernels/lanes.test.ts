/** Reductions over lanes: the same bits whether lanes meet in memory or in subgroups, and whichever of them share one. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { floatsOf, noise, runKernel, runs } from "./kernel.fixture.ts"
import { addUpReference, reducing } from "./lanes.ts"

/** Invocation i plays lane seats[i]. */
const source = /* wgsl */ `
@group(0) @binding(0) var<storage, read> seats: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> winners: array<u32>;
@group(0) @binding(5) var<storage, read_write> reaches: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let lane = seats[invocation];
  let at = group.x * LANES + lane;
  let near = meet(lane);
  sums[at] = add_up(lane, near, values[at]);
  winners[at] = best(lane, near, values[at], indices[at]);
  let second = agree(lane, indices[at] == group.x);
  reaches[at] = select(near, 1000u + near, second);
}
`

/** Lanes of a subgroup of the software adapter. */
const SUBGROUP = 4
const GROUPS = 3

/** Who sits where: as one would think, or otherwise, so that subgroups find only some lanes, or none. */
const seating = fc.constantFrom(2, 4, 8, 16, 64, 256).chain((lanes) =>
  fc.record({
    lanes: fc.constant(lanes),
    seats: fc.oneof(
      fc.constant((seat: number) => seat),
      fc.integer({ min: 0, max: lanes - 1 }).map((mask) => (seat: number) => seat ^ mask),
      // Whole blocks of so many lanes trade places.
      fc.tuple(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 1, max: 255 })).map(
        ([block, by]) =>
          (seat: number) =>
            (seat + block * by) % lanes
      ),
      fc.constant((seat: number) => lanes - 1 - seat),
      // Odd multiples leave no lane out.
      fc.constantFrom(3, 5, 7).map((times) => (seat: number) => (seat * times) % lanes)
    )
  })
)

/** How far lanes find each other within subgroups, by the definition of a shuffle. */
const reachOf = (seats: readonly number[]): number => {
  let near = 1
  while (
    near < Math.min(SUBGROUP, seats.length) &&
    seats.every((lane, seat) => seats[seat ^ near] === (lane ^ near))
  )
    near *= 2
  return near
}

describe("reductions over the lanes of a workgroup", () => {
  it("add up in one order and choose one winner, wherever lanes meet", async () => {
    const reaches = new Set<number>()
    await fc.assert(
      fc.asyncProperty(
        seating,
        fc.integer({ min: 0, max: 1000 }),
        fc.boolean(),
        async ({ lanes, seats: seatOf }, seed, ties) => {
          const seats = Array.from({ length: lanes }, (_, seat) => seatOf(seat))
          expect(new Set(seats).size).toBe(lanes)
          const draws = noise(GROUPS * lanes, seed, 3)
          // Of very different sizes, so that no other order adds up to the same; or of few values, some of them zeros of either sign.
          const values = ties
            ? draws.map((value) => Math.round(value) * 2)
            : draws.map((value, i) => value * 2 ** ((i * 7 + seed) % 20))
          const indices = Uint32Array.from(values, (_, i) => (i * 5 + seed) % 97)
          const found = []
          for (const subgroups of [false, true]) {
            const kernel = reducing({ name: "lanes", source, constants: {} }, { lanes, subgroups })
            const nothing = new Float32Array(GROUPS * lanes)
            found.push(
              await runKernel(
                kernel,
                [Uint32Array.from(seats), values, indices, nothing, nothing, nothing],
                [GROUPS],
                [3, 4, 5]
              )
            )
          }
          const [memory, registers] = found
          expect(registers!.slice(0, 2)).toEqual(memory!.slice(0, 2))
          const near = reachOf(seats)
          reaches.add(near)
          for (let group = 0; group < GROUPS; group++) {
            const all = <A extends ArrayLike<number>>(of: { slice: (from: number, to: number) => A }): A =>
              of.slice(group * lanes, (group + 1) * lanes)
            expect([...all(floatsOf(memory![0]!))]).toEqual(
              Array.from({ length: lanes }, () => addUpReference(all(values)))
            )
            const most = Math.max(...all(values))
            const winner = Math.min(...all(indices).filter((_, i) => all(values)[i] === most))
            expect(new Set(all(memory![1]!))).toEqual(new Set([winner]))
            const said = all(indices)[0] === group ? 1000 : 0
            expect(new Set(all(memory![2]!))).toEqual(new Set([said + 1]))
            expect(new Set(all(registers![2]!))).toEqual(new Set([said + near]))
          }
        }
      ),
      runs(60)
    )
    // Registers were used as far as they go, in part, and not at all.
    expect(reaches).toEqual(new Set([1, 2, SUBGROUP]))
  })
})
