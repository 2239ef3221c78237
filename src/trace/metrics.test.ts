import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LIMITS, MetricsAccumulator, type RunMetrics } from "./metrics.ts"

const SECOND = 1e9
const GPUS = 2
const BANDWIDTH = 1e12

const sum = (amounts: Readonly<Record<string, number>>): number =>
  Object.values(amounts).reduce((a, b) => a + b, 0)

describe("metrics", () => {
  it("are those of a run done by hand", () => {
    const books = new MetricsAccumulator()
    // One request: 1 s of prefill, 2 s of drafting while 1.5 s of reload run, 0.5 s waiting for the rest, 1 s of verify.
    books.arrived(100)
    books.gpuStarts(0)
    books.peak(10e9, 1, 3)
    books.gpuIdle("scheduling", 1 * SECOND)
    books.passed(1, { compute: 1 }, 0)
    books.firstToken(1 * SECOND)
    books.gpuStarts(1 * SECOND)
    books.linkStarts("in", 2 * SECOND)
    books.gpuIdle("link", 3 * SECOND)
    books.passed(20, { hbm: 1.5, scheduling: 0.5 }, 1.5e12)
    books.linkEnds("in", 3.5 * SECOND)
    books.moved("reload", 4e9)
    books.gpuStarts(3.5 * SECOND)
    books.gpuIdle("scheduling", 4.5 * SECOND)
    books.passed(1, { hbm: 1 }, 1e12)
    books.round(20, 15, 16)
    books.delivered(3.5 * SECOND)
    books.ended("finished", 17, 4.5 * SECOND, 3.5 * SECOND)
    books.gpuIdle("idle", 4.5 * SECOND)
    books.finish(5 * SECOND)
    const run = books.result(5 * SECOND, GPUS, BANDWIDTH)

    expect(run.duration).toBe(5)
    expect(run.requests).toEqual({ arrived: 1, finished: 1, cancelled: 0, timedOut: 0, failed: 0 })
    expect(run.events.iterations).toBe(22)
    expect([run.promptTokens, run.outputTokens]).toEqual([100, 17])
    expect(run.throughput.tokensPerSecond).toBeCloseTo(3.4, 12)
    expect(run.throughput.perGpu).toBeCloseTo(1.7, 12)
    expect(run.throughput.perUser).toBeCloseTo(16 / 3.5, 12)
    expect([run.ttft.mean, run.itl.mean, run.e2el.mean]).toEqual([1, 3.5, 4.5])
    expect(run.tpot.mean).toBeCloseTo(3.5 / 16, 12)
    expect(run.rounds).toMatchObject({
      count: 1,
      drafted: 20,
      accepted: 15,
      rejected: 5,
      corrections: 1,
      committed: 16
    })
    expect(run.rounds.acceptedLengths[15]).toBe(1)
    expect(run.bytes).toMatchObject({ reload: 4e9, save: 0, hbm: 2.5e12 })
    expect(run.transfers).toEqual({ hidden: 1, exposed: 0.5 })
    expect(run.utilisation.gpu).toBeCloseTo(4 / 5, 12)
    expect(run.utilisation.hbm).toBeCloseTo(0.5, 12)
    expect(run.utilisation.linkIn).toBeCloseTo(1.5 / 5, 12)
    expect(run.limitSeconds).toEqual({
      hbm: 2.5,
      compute: 1,
      link: 0.5,
      interconnect: 0,
      host: 0,
      scheduling: 0.5,
      idle: 0.5
    })
    expect(run.limits.hbm).toBeCloseTo(0.5, 12)
    expect(run.peak).toEqual({ hbmBytes: 10e9, batch: 1, waiting: 3 })
  })

  it("of nothing are zeros, all idle", () => {
    const run = new MetricsAccumulator().result(0, GPUS, BANDWIDTH)
    expect(run.limits.idle).toBe(1)
    expect(run.throughput).toEqual({ tokensPerSecond: 0, perGpu: 0, perUser: 0, requestsPerSecond: 0 })
    expect(JSON.parse(JSON.stringify(run))).toEqual(run)
  })

  it("count a request's tokens for latency only if it finished, for TPOT only beyond the first", () => {
    const books = new MetricsAccumulator()
    books.ended("cancelled", 7, SECOND, SECOND)
    books.ended("timed-out", 0, SECOND, 0)
    books.ended("failed", 0, SECOND, 0)
    books.ended("finished", 1, SECOND, 0)
    const run = books.result(SECOND, 1, BANDWIDTH)
    expect(run.requests).toMatchObject({ finished: 1, cancelled: 1, timedOut: 1, failed: 1 })
    expect(run.outputTokens).toBe(8)
    expect([run.e2el.count, run.tpot.count]).toEqual([1, 0])
  })

  it("count a step as one gap for every request that got a token in it", () => {
    const books = new MetricsAccumulator()
    books.stepped(2e6, 3, 4)
    books.stepped(2e6, 0, 4)
    books.delivered(2e6)
    expect(books.result(SECOND, 1, BANDWIDTH).itl).toMatchObject({
      count: 13,
      mean: 2e-3,
      min: 2e-3,
      max: 2e-3
    })
  })

  it("do not change after they were given out", () => {
    const books = new MetricsAccumulator()
    feed(books, [])
    const before = books.result(SECOND, 1, BANDWIDTH)
    const copy = structuredClone(before)
    books.moved("save", 1)
    books.round(9, 9, 10)
    books.peak(1e12, 99, 99)
    expect(before).toEqual(copy)
  })

  it("refuse time that runs backwards", () => {
    const books = new MetricsAccumulator()
    books.gpuStarts(5)
    expect(() => books.finish(4)).toThrow()
  })

  it("keep their laws whatever happens", () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const books = new MetricsAccumulator()
        const end = feed(books, events)
        checkLaws(books.result(end, GPUS, BANDWIDTH), 1)
      })
    )
  })

  it("of several groups are those of each, put together", () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, (some, others) => {
        const groups = [some, others].map((events) => {
          const books = new MetricsAccumulator()
          return { books, end: feed(books, events) }
        })
        const end = Math.max(...groups.map((group) => group.end))
        const total = new MetricsAccumulator()
        for (const { books } of groups) {
          books.finish(end)
          total.merge(books)
        }
        const merged = total.result(end, GPUS, BANDWIDTH)
        const [one, other] = groups.map(({ books }) => books.result(end, GPUS, BANDWIDTH)) as [
          RunMetrics,
          RunMetrics
        ]
        checkLaws(merged, 2)
        for (const key of ["drafted", "accepted", "rejected", "corrections", "committed", "count"] as const) {
          expect(merged.rounds[key]).toBe(one.rounds[key] + other.rounds[key])
        }
        expect(merged.itl.count).toBe(one.itl.count + other.itl.count)
        expect(merged.itl.max).toBe(Math.max(one.itl.max, other.itl.max))
        expect(merged.bytes.reload).toBe(one.bytes.reload + other.bytes.reload)
        expect(merged.utilisation.gpu).toBeCloseTo((one.utilisation.gpu + other.utilisation.gpu) / 2, 9)
        for (const limit of LIMITS) {
          expect(merged.limitSeconds[limit]).toBeCloseTo(
            one.limitSeconds[limit] + other.limitSeconds[limit],
            9
          )
        }
      })
    )
  })

  it("keep no request: a million come to no more than a summary", () => {
    const books = new MetricsAccumulator()
    for (let id = 0; id < 1_000_000; id++) {
      books.arrived(512)
      books.firstToken(1e7 + (id % 1000) * 1e4)
      books.round(20, id % 21, (id % 21) + 1)
      books.ended("finished", 100, 1e9, 9e8)
    }
    const run = books.result(1e12, 8, BANDWIDTH)
    expect(run.requests).toMatchObject({ arrived: 1_000_000, finished: 1_000_000 })
    expect(run.rounds.acceptedLengths.length).toBe(21)
    expect(JSON.stringify(run).length).toBeLessThan(4000)
  })
})

const anyEvents = fc.array(
  fc.record({
    what: fc.constantFrom("start", "idle", "link in", "link out", "round", "step" as const),
    after: fc.nat(1_000_000),
    waitingFor: fc.constantFrom("link", "host", "scheduling", "idle" as const),
    drafted: fc.nat(30),
    accepted: fc.nat(30)
  }),
  { maxLength: 60 }
)

/** Plays events with links that toggle and passes that account for all their time; returns when it ended. */
const feed = (
  books: MetricsAccumulator,
  events: typeof anyEvents extends fc.Arbitrary<infer E> ? E : never
): number => {
  const moving = { in: false, out: false }
  let now = 0
  let passStart: number | undefined
  const endPass = (): void => {
    if (passStart !== undefined) books.passed(1, { hbm: (now - passStart) * 1e-9 }, 1)
    passStart = undefined
  }
  for (const { what, after, waitingFor, drafted, accepted } of events) {
    now += after
    if (what === "start" && passStart === undefined) {
      books.gpuStarts(now)
      passStart = now
    } else if (what === "idle") {
      books.gpuIdle(waitingFor, now)
      endPass()
    } else if (what === "link in" || what === "link out") {
      const direction = what === "link in" ? "in" : "out"
      if (moving[direction]) books.linkEnds(direction, now)
      else books.linkStarts(direction, now)
      moving[direction] = !moving[direction]
      if (!moving[direction]) books.moved(direction === "in" ? "reload" : "save", 1)
    } else if (what === "round")
      books.round(drafted, Math.min(accepted, drafted), Math.min(accepted, drafted) + 1)
    else if (what === "step") books.stepped(after, 2, 3)
  }
  books.gpuIdle("idle", now)
  endPass()
  books.finish(now)
  return now
}

const checkLaws = (run: RunMetrics, groups: number): void => {
  const { rounds, limits, transfers, utilisation } = run
  const span = run.duration * groups
  expect(rounds.drafted).toBe(rounds.accepted + rounds.rejected)
  expect(rounds.committed).toBe(rounds.accepted + rounds.corrections)
  expect(rounds.acceptedLengths.reduce((a, b) => a + b, 0)).toBe(rounds.count)
  expect(rounds.acceptedLengths.reduce((total, count, length) => total + count * length, 0)).toBe(
    rounds.accepted
  )
  expect(Math.abs(sum(limits) - 1)).toBeLessThan(1e-12)
  expect(sum(run.limitSeconds)).toBeCloseTo(span, 9)
  for (const share of [...Object.values(limits), utilisation.gpu, utilisation.linkIn, utilisation.linkOut]) {
    expect(share).toBeGreaterThanOrEqual(-1e-12)
    expect(share).toBeLessThanOrEqual(1 + 1e-12)
  }
  // The link is busy in one direction, the other, or both: never less than the busier, never more than the two in turn.
  const busy = transfers.hidden + transfers.exposed
  expect(busy).toBeGreaterThanOrEqual(Math.max(utilisation.linkIn, utilisation.linkOut) * span - 1e-9)
  expect(busy).toBeLessThanOrEqual((utilisation.linkIn + utilisation.linkOut) * span + 1e-9)
  expect(transfers.exposed).toBeLessThanOrEqual(run.limitSeconds.link + run.limitSeconds.host + 1e-9)
}
