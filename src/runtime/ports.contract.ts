/** What every physics must do behind the ports. One suite, run against the simulator's and the engine's. */
import { type Context, Effect, Exit } from "effect"
import { describe, expect, it } from "vitest"
import { BatchGroup } from "./group.ts"
import { Gpu, type Iteration, LinkIn, LinkOut, Time, type Transfer, type VerifyItem } from "./ports.ts"

/** A fresh physics for each test. */
export interface Physics {
  readonly ports: Context.Context<Gpu | LinkIn | LinkOut | Time>
  /** Runs a program on the physics' clock to its end. */
  readonly run: <A, E>(program: Effect.Effect<A, E>) => Promise<Exit.Exit<A, E>>
  /** Bytes/s no transfer into HBM may exceed. */
  readonly linkBandwidth: number
  /** Brings requests into being whose next position follows `tokens` tokens of full KV; a model needs none. */
  readonly hold: (requests: readonly Held[]) => Effect.Effect<void>
  /** Bytes that carrying out an order comes to. */
  readonly carries: (order: Transfer) => number
  /** Full KV streams into verifies: whoever runs one has it carried meanwhile. */
  readonly streams: boolean
  /** Frees what the physics took. */
  readonly close: () => Promise<void>
}

export interface Held {
  readonly request: number
  readonly tokens: number
  /** Tokens drafted behind them. */
  readonly drafted: number
}

/** An iteration of nothing but what is said. */
export const iteration = (fields: Partial<Iteration>): Iteration => ({
  index: 0,
  steps: 1,
  decode: new BatchGroup(1, 0),
  draft: new BatchGroup(1, 0),
  verify: [],
  prefill: [],
  proposals: 0,
  ...fields
})

const decoding = (requests: number, tokens: number): BatchGroup => {
  const group = new BatchGroup(1, 0)
  for (let id = 0; id < requests; id++) group.join(id, tokens, 0)
  return group
}

const holding = (requests: number, tokens: number): readonly Held[] =>
  Array.from({ length: requests }, (_, request) => ({ request, tokens, drafted: 0 }))

/** Sends full KV home, then runs a pass that verifies, with its KV streaming in beside it where the physics has it so. */
const verifying = (verify: readonly VerifyItem[], streams: boolean) =>
  Effect.gen(function* () {
    const [gpu, link, home] = [yield* Gpu, yield* LinkIn, yield* LinkOut]
    for (const { request } of verify) yield* home.move({ request, kind: "save", bytes: 1000 })
    const verifies = verify.map(({ request }) => request)
    const stream = streams
      ? Effect.map(link.move({ request: -1, kind: "stream", bytes: 1000, verifies }), ({ bytes }) => bytes)
      : Effect.succeed(0)
    const [result, streamed] = yield* Effect.all([gpu.run(iteration({ verify })), stream], {
      concurrency: 2
    })
    return { result, streamed }
  })

/** Declares the contract's tests for a physics. */
export const portContract = (name: string, make: () => Physics | Promise<Physics>): void => {
  type Program<A, E> = Effect.Effect<A, E, Gpu | LinkIn | LinkOut | Time>
  const inPhysics = async <A, E>(
    program: Program<A, E> | ((physics: Physics) => Program<A, E>),
    held: readonly Held[] = []
  ): Promise<{ readonly value: A; readonly physics: Physics }> => {
    const physics = await make()
    const asked = typeof program === "function" ? program(physics) : program
    const exit = await physics.run(
      Effect.andThen(physics.hold(held), Effect.provideContext(asked, physics.ports))
    )
    await physics.close()
    if (Exit.isFailure(exit)) throw new Error(`the program failed: ${String(exit.cause)}`)
    return { value: exit.value, physics }
  }

  describe(`ports of ${name}`, () => {
    it("run as many passes as asked, and account for all their time", async () => {
      const { value } = await inPhysics(
        Effect.gen(function* () {
          const gpu = yield* Gpu
          const time = yield* Time
          const start = time.now()
          const result = yield* gpu.run(iteration({ steps: 5, decode: decoding(3, 20) }))
          return { result, elapsed: (time.now() - start) / 1e9 }
        }),
        holding(3, 20)
      )
      const { limits, seconds, steps, hbmBytes } = value.result
      expect(steps).toBe(5)
      expect(seconds).toBeGreaterThan(0)
      expect(Math.abs(value.elapsed - seconds)).toBeLessThanOrEqual(1e-8 + 0.05 * seconds)
      expect(limits.hbm + limits.compute + limits.interconnect + limits.scheduling).toBeCloseTo(seconds, 9)
      expect(hbmBytes).toBeGreaterThan(0)
    })

    it("end a run at the boundary of a pass when it is cut", async () => {
      const { value } = await inPhysics(
        Effect.gen(function* () {
          const gpu = yield* Gpu
          const time = yield* Time
          const one = yield* gpu.run(iteration({ decode: decoding(2, 20) }))
          gpu.cut()
          const cutter = time
            .until(time.now() + one.seconds * 2.5e9)
            .pipe(Effect.andThen(Effect.sync(gpu.cut)))
          const [cut] = yield* Effect.all(
            [gpu.run(iteration({ index: 1, steps: 4000, decode: decoding(2, 20) })), cutter],
            { concurrency: 2 }
          )
          return cut
        }),
        holding(2, 20)
      )
      expect(value.steps).toBeGreaterThanOrEqual(1)
      expect(value.steps).toBeLessThan(4000)
    })

    it("answer every verify, with no more accepted than drafted", async () => {
      const verify = [0, 1, 7].map((drafted, request) => ({
        request,
        drafted,
        steps: drafted,
        context: 30,
        round: 1
      }))
      const { value } = await inPhysics(
        ({ streams }) => verifying(verify, streams),
        verify.map(({ request, drafted, context }) => ({ request, tokens: context, drafted }))
      )
      expect(value.result.verified.map(({ request }) => request)).toEqual([0, 1, 2])
      for (const { accepted, drafted } of value.result.verified) {
        expect(accepted).toBeGreaterThanOrEqual(0)
        expect(accepted).toBeLessThanOrEqual(drafted)
      }
    })

    it("carry full KV beside the pass that reads it, and then pass on", async () => {
      const verify = [{ request: 0, drafted: 3, steps: 3, context: 30, round: 1 }]
      const { value, physics } = await inPhysics(
        ({ streams }) =>
          Effect.gen(function* () {
            const { result, streamed } = yield* verifying(verify, streams)
            const prefill = [{ request: 1, tokens: 16, cached: 0, last: true }]
            const next = yield* (yield* Gpu).run(iteration({ index: 1, prefill }))
            return { result, streamed, next }
          }),
        [
          { request: 0, tokens: 30, drafted: 3 },
          { request: 1, tokens: 0, drafted: 0 }
        ]
      )
      expect(value.result.verified).toHaveLength(1)
      expect(value.next.steps).toBe(1)
      const order = { request: -1, kind: "stream", bytes: 1000, verifies: [0] } as const
      expect(value.streamed).toBe(physics.streams ? physics.carries(order) : 0)
    })

    it("compute a prompt", async () => {
      const prefill = [{ request: 0, tokens: 16, cached: 0, last: true }]
      const { value } = await inPhysics(
        Effect.flatMap(Gpu, (gpu) => gpu.run(iteration({ prefill }))),
        [{ request: 0, tokens: 0, drafted: 0 }]
      )
      expect(value.steps).toBe(1)
    })

    it("move every byte, no faster than the link, and tell how many", async () => {
      const out = { request: 0, kind: "save", bytes: 1_000_000 } as const
      const into = { request: 0, kind: "fetch", bytes: 1_000_000 } as const
      const nothing = { request: 7, kind: "fetch", bytes: 0 } as const
      const { value, physics } = await inPhysics(
        Effect.gen(function* () {
          const home = yield* (yield* LinkOut).move(out)
          const link = yield* LinkIn
          return [home, yield* link.move(into), yield* link.move(nothing)] as const
        }),
        holding(1, 20)
      )
      expect(value.map(({ bytes }) => bytes)).toEqual([physics.carries(out), physics.carries(into), 0])
      expect(physics.carries(into)).toBeGreaterThan(0)
      const { bytes, seconds } = value[1]
      expect(seconds).toBeGreaterThanOrEqual((bytes / physics.linkBandwidth) * (1 - 1e-9))
    })

    it("free the link when a transfer is interrupted", async () => {
      const bytes = 1_000_000_000
      const { value, physics } = await inPhysics(
        Effect.gen(function* () {
          const link = yield* LinkIn
          const time = yield* Time
          yield* Effect.raceFirst(
            link.move({ request: 0, kind: "fetch", bytes }),
            time.until(time.now() + 1000)
          )
          return yield* link.move({ request: 1, kind: "fetch", bytes: 1000 })
        }),
        holding(2, 20)
      )
      // A real link has no rate to hold it to; that it is free at all is what counts.
      expect(value.seconds).toBeLessThan(Math.max(bytes / physics.linkBandwidth, 10))
    })

    it("keep time that does not run backwards", async () => {
      const { value } = await inPhysics(
        Effect.gen(function* () {
          const time = yield* Time
          const first = time.now()
          yield* time.until(first + 1e6)
          const second = time.now()
          yield* time.until(first)
          return [first, second, time.now()] as const
        })
      )
      expect(value[1]).toBeGreaterThanOrEqual(value[0] + 1e6)
      expect(value[2]).toBeGreaterThanOrEqual(value[1])
    })
  })
}
