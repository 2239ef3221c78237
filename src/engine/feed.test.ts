import { Effect, Exit, Fiber } from "effect"
import { describe, expect, it } from "vitest"
import { DeviceLost } from "../runtime/ports.ts"
import { Feed } from "./feed.ts"
import type { Session } from "./session.ts"

/** Only who it is matters here. */
const members = [{}] as unknown as readonly Session[]

/** Starts to wait; says whether the wait is over, and how it ended. */
const waiting = (feed: Feed, holds: () => boolean) => {
  const fiber = Effect.runFork(feed.until(holds))
  return {
    over: async () => {
      await Effect.runPromise(Effect.sleep(0))
      return fiber.pollUnsafe() !== undefined
    },
    exit: () => Effect.runPromise(Fiber.await(fiber))
  }
}

describe("full KV on its way into a pass", () => {
  it("lets each side wait for the other, layer by layer", async () => {
    const feed = new Feed()
    const computes = waiting(feed, () => feed.arrived > 1)
    const brings = waiting(feed, () => feed.computed >= 1)
    expect([await computes.over(), await brings.over()]).toEqual([false, false])
    feed.arrive(1)
    expect(await computes.over()).toBe(false)
    feed.arrive(2)
    expect([await computes.over(), await brings.over()]).toEqual([true, false])
    feed.compute(1)
    expect(Exit.isSuccess(await brings.exit())).toBe(true)
  })

  it("does not make anybody wait for what holds already", async () => {
    const feed = new Feed()
    feed.arrive(3)
    expect(Exit.isSuccess(await waiting(feed, () => feed.arrived === 3).exit())).toBe(true)
  })

  it("has members only while a pass reads, and a transfer that failed before stays failed", () => {
    const feed = new Feed()
    expect(feed.members).toBeUndefined()
    feed.open(members)
    expect(feed.members).toBe(members)
    feed.end("void")
    expect([feed.verdict, feed.members]).toEqual(["void", undefined])
    feed.open(members)
    expect(feed.members).toBeUndefined()
  })

  it("begins anew for a pass that is repeated: nothing has come, nothing is computed", () => {
    const feed = new Feed()
    feed.open(members)
    feed.arrive(2)
    feed.compute(1)
    feed.end("void")
    feed.reopen(members)
    expect([feed.arrived, feed.computed, feed.verdict, feed.members]).toEqual([0, 0, "coming", members])
  })

  it("ends every wait when the pass is over, whatever was waited for", async () => {
    const feed = new Feed()
    const waits = [waiting(feed, () => false), waiting(feed, () => false)]
    expect(await waits[0]!.over()).toBe(false)
    feed.close()
    for (const one of waits) expect(Exit.isSuccess(await one.exit())).toBe(true)
    expect(feed.closed).toBe(true)
    expect(Exit.isSuccess(await waiting(feed, () => false).exit())).toBe(true)
  })

  it("tells everybody that the device is gone, now and later", async () => {
    const feed = new Feed()
    const before = waiting(feed, () => false)
    const lost = new DeviceLost({ reason: "gone" })
    expect(await before.over()).toBe(false)
    feed.lose(lost)
    feed.lose(new DeviceLost({ reason: "again" }))
    for (const one of [before, waiting(feed, () => true)]) expect(await one.exit()).toEqual(Exit.fail(lost))
  })

  it("forgets who stopped waiting", async () => {
    const feed = new Feed()
    const fiber = Effect.runFork(feed.until(() => false))
    await Effect.runPromise(Effect.andThen(Effect.sleep(0), Fiber.interrupt(fiber)))
    feed.arrive(1)
    expect(Exit.isFailure(await Effect.runPromise(Fiber.await(fiber)))).toBe(true)
  })
})
