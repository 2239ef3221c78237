import { describe, expect, it } from "vitest"
import { bookedReloads } from "./bookings.ts"
import { META } from "./trace.fixture.ts"
import { TraceStore } from "./store.ts"

describe("booked reloads", () => {
  it("count from their booking until they are there, each with the last booking of its request", () => {
    const trace = new TraceStore(META)
    const replica = trace.track({ name: "replica 0", kind: "replica" })
    const link = trace.track({ name: "link", kind: "link-h2d", parent: replica })
    const scheduler = trace.track({ name: "scheduler", kind: "scheduler", parent: replica })
    // Request 0 books twice and reloads twice; request 1 books and never reloads.
    trace.instant(scheduler, "reserve", 5, { request: 0 })
    trace.instant(scheduler, "reserve", 7, { request: 1 })
    trace.slice(link, "reload", 10, 30, { request: 0, bytes: 100 })
    trace.instant(scheduler, "reserve", 40, { request: 0 })
    trace.slice(link, "reload", 50, 60, { request: 0, bytes: 300 })
    trace.slice(link, "reload", 50, 60, { request: 9, bytes: 1 })
    const [booked, ...others] = bookedReloads(trace)
    expect(others).toEqual([])
    expect([booked!.replica, [...booked!.at], [...booked!.value]]).toEqual([
      replica,
      [5, 30, 40, 60],
      [100, 0, 300, 0]
    ])
  })

  it("are none where nothing is booked", () => {
    expect(bookedReloads(new TraceStore(META))).toEqual([])
  })
})
