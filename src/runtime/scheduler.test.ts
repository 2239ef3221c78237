/** The scheduler as a reactor: mail in, orders out, no clock and no physics. */
import { describe, expect, it } from "vitest"
import type { Mail, Order } from "./mail.ts"
import { Observer } from "./observer.ts"
import type { Iteration, IterationResult } from "./ports.ts"
import { Scheduler } from "./scheduler.ts"
import { servingPlan } from "./serving.ts"
import type { ServingSetup } from "./setup.ts"

const origin = { basis: "assumed", source: "made up for a test" } as const
const acceptance = { origin, kind: "iid", alpha: 1 } as const
const compressor = {
  name: "c",
  origin,
  kind: "drop",
  mode: "offline",
  keep: 0.25,
  acceptance,
  attentionEfficiency: 1
} as const

const FULL = servingPlan({ kind: "full-kv" }, false)
const ROUNDS = servingPlan(
  {
    kind: "vericache",
    compressor,
    window: { kind: "fixed", tokens: 4 },
    schedule: "staggered",
    reload: "full",
    granularity: "whole",
    fullKvRequests: 0
  },
  false
)

const setupOf = (changes: Partial<ServingSetup>): ServingSetup => ({
  plan: FULL,
  engine: {
    tensorParallelSize: 1,
    dataParallelSize: 1,
    maxNumSeqs: 8,
    maxNumBatchedTokens: 64,
    blockSize: 4,
    gpuMemoryUtilization: 0.9,
    reservedBytes: 0,
    enablePrefixCaching: false,
    horizon: 32
  },
  layout: { pageTokens: 4, globalBytesPerToken: 1, localBytesPerToken: 0, window: 0 },
  layers: 4,
  weightBytes: 0,
  pages: 100,
  hostBytes: 1e9,
  linkBandwidth: 1e3,
  slowestPath: "link",
  contextPath: "in",
  optimalWindow: 4,
  prior: { agreed: 9, refused: 1 },
  roundCost: 1,
  iterationSeconds: 1,
  proposals: 0,
  tokensPerDraftStep: 1,
  maxRetries: 1,
  ...changes
})

/** A scheduler with its orders in plain sight. */
class Desk {
  readonly scheduler: Scheduler
  readonly ended: (readonly [number, string])[] = []
  readonly orders: Order[] = []
  running: Iteration | undefined
  cuts = 0
  #now = 0

  constructor(changes: Partial<ServingSetup>) {
    this.scheduler = new Scheduler(setupOf(changes), new Observer("desk", undefined), {
      run: (iteration) => {
        this.running = iteration
      },
      release: () => {},
      cut: () => {
        this.cuts++
      },
      move: (order) => this.orders.push(order),
      stop: (order) => this.orders.splice(this.orders.indexOf(order), 1),
      ask: () => {},
      ended: (request, outcome) => this.ended.push([request, outcome])
    })
  }

  tell(...mail: readonly Mail[]): void {
    this.#now += 1e9
    for (const one of mail) this.scheduler.receive(one, this.#now)
    this.scheduler.advance(this.#now)
  }

  arrive(id: number, input: number, output: number, stored = 0): void {
    this.tell({ type: "arrive", spec: { id, input, output, stored } })
  }

  /** Ends the pass: all that was asked for, everything drafted accepted. */
  pass(changes: Partial<IterationResult> = {}): void {
    const { steps, verify } = this.running!
    this.running = undefined
    const verified = verify.map(({ request, drafted }) => ({ request, drafted, accepted: drafted }))
    const limits = { hbm: steps, compute: 0, interconnect: 0, scheduling: 0 }
    this.tell({
      type: "passed",
      result: { steps, seconds: steps, verified, limits, hbmBytes: 1, ...changes }
    })
  }

  moved(kind: Order["transfer"]["kind"]): void {
    const order = this.orders.find(({ transfer }) => transfer.kind === kind)!
    this.orders.splice(this.orders.indexOf(order), 1)
    this.tell({ type: "moved", order, start: 0, end: 0, bytes: order.transfer.bytes })
  }

  /** Lets everything come to its end. */
  finish(): void {
    for (let i = 0; i < 10_000 && (this.running !== undefined || this.orders.length > 0); i++) {
      if (this.orders.length > 0) this.moved(this.orders[0]!.transfer.kind)
      else this.pass()
    }
  }
}

describe("the scheduler", () => {
  it("computes a prompt in chunks, then decodes unattended until the output is complete", () => {
    const desk = new Desk({})
    desk.arrive(0, 100, 10)
    expect(desk.running!.prefill).toEqual([{ request: 0, tokens: 64, cached: 0, last: false }])
    desk.pass()
    expect(desk.running!.prefill).toEqual([{ request: 0, tokens: 36, cached: 64, last: true }])
    desk.pass()
    expect(desk.running).toMatchObject({ steps: 9, decode: { count: 1, kvTokens: 101 } })
    desk.pass()
    expect(desk.ended).toEqual([[0, "finished"]])
    expect(desk.scheduler.pool.used).toBe(0)
  })

  it("cuts a run of steps for an arrival, and batches what arrived", () => {
    const desk = new Desk({})
    desk.arrive(0, 8, 100)
    desk.pass()
    expect(desk.running!.steps).toBe(99)
    desk.arrive(1, 8, 100)
    expect(desk.cuts).toBe(1)
    desk.pass({ steps: 5 })
    expect(desk.running).toMatchObject({
      steps: 1,
      decode: { count: 1, kvTokens: 14 },
      prefill: [{ request: 1 }]
    })
    desk.finish()
    expect(desk.ended).toHaveLength(2)
  })

  it("preempts the request admitted last when pages run out, and loses nothing", () => {
    const desk = new Desk({ pages: 20 })
    desk.arrive(0, 30, 40)
    desk.arrive(1, 30, 40)
    desk.finish()
    expect(desk.ended).toEqual([
      [0, "finished"],
      [1, "finished"]
    ])
    expect(desk.scheduler.observe.metrics.preemptions).toBeGreaterThan(0)
    expect(desk.scheduler.pool.used).toBe(0)
  })

  it("in lock-step lets the others reload when the last that drafts leaves in the middle of its window", () => {
    const desk = new Desk({ plan: { ...ROUNDS, schedule: "lock-step" } })
    desk.arrive(0, 8, 20)
    desk.arrive(1, 8, 3)
    const drafts = (id: number): boolean => desk.running!.draft.members.has(id)
    while (!drafts(1)) desk.pass()
    while (drafts(1)) desk.pass()
    expect(drafts(0)).toBe(true)
    desk.tell({ type: "cancel", request: 0 })
    desk.finish()
    expect(desk.ended).toEqual([
      [0, "cancelled"],
      [1, "finished"]
    ])
    expect(desk.scheduler.pool.used).toBe(0)
  })

  it("refuses a request that can never fit, and serves the next", () => {
    const desk = new Desk({ pages: 10 })
    desk.arrive(0, 200, 5)
    desk.finish()
    desk.arrive(1, 8, 5)
    desk.finish()
    expect(desk.ended).toEqual([
      [0, "failed"],
      [1, "finished"]
    ])
  })

  it("drafts while the full KV comes in, then verifies, then sends the new KV home", () => {
    const desk = new Desk({ plan: ROUNDS })
    desk.arrive(0, 40, 20, 40)
    expect(desk.orders.map(({ transfer }) => [transfer.kind, transfer.bytes])).toEqual([["fetch", 10]])
    desk.moved("fetch")
    expect(desk.running).toMatchObject({ draft: { count: 1, kvTokens: 10 }, verify: [] })
    const seen: string[] = []
    for (let i = 0; i < 12 && desk.running?.verify.length === 0; i++) {
      if (desk.orders.length > 0) {
        seen.push(desk.orders[0]!.transfer.kind)
        desk.moved(desk.orders[0]!.transfer.kind)
      } else desk.pass()
    }
    expect(seen).toEqual(["reload"])
    expect(desk.running!.verify).toEqual([{ request: 0, drafted: 4, steps: 4, context: 40, round: 1 }])
    desk.pass()
    expect(desk.orders.map(({ transfer }) => [transfer.kind, transfer.bytes])).toEqual([["save", 4]])
    desk.finish()
    expect(desk.ended).toEqual([[0, "finished"]])
    expect(desk.scheduler.pool.used).toBe(0)
  })

  it("an online method's verify that streams has both compressed copies in HBM, and folds its own tokens in at the next", () => {
    const drafting = (changes: Partial<typeof ROUNDS>) => {
      const desk = new Desk({ plan: { ...ROUNDS, ...changes } })
      desk.arrive(0, 40, 20, 40)
      const pages: number[] = []
      const attended: number[] = []
      for (let i = 0; i < 60 && pages.length < 3; i++) {
        if (desk.orders.length > 0) desk.moved(desk.orders[0]!.transfer.kind)
        else {
          const { verify, draft } = desk.running!
          if (verify.length > 0) pages.push(desk.scheduler.pool.used)
          else if (attended.length < pages.length) attended.push(draft.kvTokens)
          desk.pass()
        }
      }
      desk.finish()
      expect([desk.ended, desk.scheduler.pool.used]).toEqual([[[0, "finished"]], 0])
      return { pages, attended }
    }
    const streaming = { granularity: "streaming" } as const
    const whole = drafting({ folds: true })
    const offline = drafting(streaming)
    const online = drafting({ ...streaming, folds: true })
    // A round commits five tokens; a quarter of what is folded in is kept.
    expect(whole.attended).toEqual([45 / 4, 50 / 4])
    expect(offline.attended).toEqual([40 / 4 + 5, 40 / 4 + 10])
    expect(online.attended).toEqual([40 / 4 + 5, 45 / 4 + 5])
    // The first copies are alike; the next of 40 tokens has 10 entries and room for four drafts, in pages of four.
    expect(online.pages[0]! - offline.pages[0]!).toBe(Math.ceil(14 / 4))
  })

  it("as many requests as the plan says keep their full KV and decode, whoever is here; the others draft", () => {
    const desk = new Desk({ plan: { ...ROUNDS, fullKvRequests: 1 } })
    for (const id of [0, 1, 2]) desk.arrive(id, 8, 12)
    let together = 0
    for (let i = 0; i < 200 && desk.ended.length < 2; i++) {
      const decoding = desk.running?.decode.count ?? 0
      expect(decoding).toBeLessThanOrEqual(1)
      if (decoding === 1 && desk.running!.draft.count === 2) together++
      if (desk.orders.length > 0) desk.moved(desk.orders[0]!.transfer.kind)
      else desk.pass()
    }
    expect(together).toBeGreaterThan(0)
    // The place is free again once its request has ended, and the next to come takes it.
    while (!desk.ended.some(([id]) => id === 0)) {
      if (desk.orders.length > 0) desk.moved(desk.orders[0]!.transfer.kind)
      else desk.pass()
    }
    desk.arrive(3, 8, 12)
    let decoded = false
    for (let i = 0; i < 200 && !desk.ended.some(([id]) => id === 3); i++) {
      decoded ||= desk.running?.decode.members.has(3) ?? false
      if (desk.orders.length > 0) desk.moved(desk.orders[0]!.transfer.kind)
      else desk.pass()
    }
    expect(decoded).toBe(true)
    desk.finish()
    expect(desk.ended.length).toBe(4)
    expect(desk.scheduler.pool.used).toBe(0)
  })

  it("keeps what is committed when the device is lost, and goes on", () => {
    for (const plan of [FULL, ROUNDS]) {
      const desk = new Desk({ plan })
      for (const id of [0, 1, 2]) desk.arrive(id, 50, 30)
      for (let i = 0; i < 3; i++) desk.pass()
      if (desk.running === undefined) desk.moved(desk.orders[0]!.transfer.kind)
      expect(desk.running).toBeDefined()
      desk.running = undefined
      desk.tell({ type: "device-lost", reason: "unplugged" })
      desk.finish()
      expect(desk.ended.map(([, outcome]) => outcome)).toEqual(["finished", "finished", "finished"])
      expect(desk.scheduler.pool.used).toBe(0)
    }
  })

  it("frees everything when a request is cancelled, whatever it is doing", () => {
    for (const plan of [FULL, ROUNDS]) {
      for (let at = 0; at < 25; at++) {
        const desk = new Desk({ plan })
        desk.arrive(0, 50, 30)
        for (let i = 0; i < at && desk.ended.length === 0; i++) {
          if (desk.orders.length > 0) desk.moved(desk.orders[0]!.transfer.kind)
          else desk.pass()
        }
        if (desk.ended.length > 0) break
        desk.tell({ type: "cancel", request: 0 })
        if (desk.running !== undefined) desk.pass({ steps: 1, verified: [] })
        expect(desk.ended).toEqual([[0, "cancelled"]])
        expect([desk.scheduler.pool.used, desk.orders.length]).toEqual([0, 0])
      }
    }
  })

  it("falls back to full KV, recomputed, when reloads keep failing", () => {
    const desk = new Desk({ plan: ROUNDS })
    desk.arrive(0, 40, 20, 40)
    desk.moved("fetch")
    for (let i = 0; i < 200 && desk.ended.length === 0; i++) {
      const order = desk.orders[0]
      if (order?.transfer.kind === "reload") {
        desk.orders.shift()
        desk.tell({ type: "move-failed", order, start: 0, end: 0, reason: "link down" })
      } else if (order !== undefined) desk.moved(order.transfer.kind)
      else desk.pass()
    }
    expect(desk.ended).toEqual([[0, "finished"]])
    expect(desk.scheduler.observe.metrics.fallbacks).toBe(1)
  })
})

describe("what vLLM does between passes", () => {
  const ahead = { engine: { ...setupOf({}).engine, asyncScheduling: true } }

  it("a request counts from when it came, though a pass kept the scheduler from looking", () => {
    const desk = new Desk({ engine: { ...setupOf({}).engine, maxNumSeqs: 1 } })
    desk.arrive(0, 8, 20)
    desk.pass()
    desk.arrive(1, 8, 1)
    // Nobody can be admitted: the run of steps goes on, here for 19 s more.
    expect([desk.cuts, desk.running!.steps]).toEqual([0, 19])
    for (let i = 0; i < 17; i++) desk.tell()
    desk.pass()
    desk.pass()
    // It came at 3 s; the run of steps ended at 21 s, its own pass at 22 s.
    expect(desk.scheduler.observe.metrics.result(22e9, 1, 1).ttft.max).toBeCloseTo(19, 6)
  })

  it("scheduling ahead, a request that comes during a pass is computed in the one after the next", () => {
    const prefilled = (changes: Partial<ServingSetup>): readonly (readonly number[])[] => {
      const desk = new Desk(changes)
      desk.arrive(0, 8, 40)
      desk.pass()
      desk.arrive(1, 8, 4)
      const passes: (readonly number[])[] = []
      for (let i = 0; i < 3; i++) {
        desk.pass({ steps: 1 })
        passes.push(desk.running!.prefill.map(({ request }) => request))
      }
      return passes
    }
    expect(prefilled({})).toEqual([[1], [], []])
    expect(prefilled(ahead)).toEqual([[], [1], []])
  })

  it("scheduling ahead, an idle engine starts at once and nothing is lost", () => {
    const desk = new Desk(ahead)
    desk.arrive(0, 8, 3)
    expect(desk.running!.prefill).toHaveLength(1)
    desk.arrive(1, 100, 3)
    desk.arrive(2, 100, 3)
    desk.finish()
    expect(desk.ended.map(([id]) => id).toSorted((a, b) => a - b)).toEqual([0, 1, 2])
    expect(desk.scheduler.pool.used).toBe(0)
  })

  it("a request that gave way computes anew only what others have taken of its pages", () => {
    const recomputed = (enablePrefixCaching: boolean): number => {
      const desk = new Desk({ pages: 20, engine: { ...setupOf({}).engine, enablePrefixCaching } })
      desk.arrive(0, 30, 12)
      desk.arrive(1, 30, 40)
      let tokens = 0
      for (let i = 0; i < 1000 && desk.running !== undefined; i++) {
        tokens += desk.running.prefill.reduce((sum, item) => sum + item.tokens, 0)
        desk.pass()
      }
      expect(desk.ended).toHaveLength(2)
      expect(desk.scheduler.observe.metrics.preemptions).toBeGreaterThan(0)
      expect(desk.scheduler.pool.used).toBe(0)
      return tokens - 60
    }
    const [without, kept] = [recomputed(false), recomputed(true)]
    expect(without).toBeGreaterThan(30)
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(without / 2)
  })

  it("a prompt is admitted only when all of it fits, though it is computed in chunks", () => {
    const desk = new Desk({ pages: 30 })
    desk.arrive(0, 8, 60)
    desk.pass()
    desk.arrive(1, 110, 2)
    desk.pass({ steps: 1 })
    // 28 pages for the prompt beside 3 and more that are held: it waits, though its first chunk of 63 would fit.
    expect(desk.running!.prefill).toEqual([])
    desk.finish()
    expect(desk.ended.map(([id]) => id)).toEqual([0, 1])
  })
})
