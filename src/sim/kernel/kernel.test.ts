import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Kernel } from "./kernel.ts"
import { Random } from "./random.ts"

/** A kernel whose only reactor writes down what it hears. */
const recording = () => {
  const kernel = new Kernel()
  const heard: (readonly [time: number, argument: number])[] = []
  const reactor = kernel.add({ receive: (_code, argument) => heard.push([kernel.now, argument]) })
  return { kernel, heard, reactor }
}

describe("the kernel", () => {
  it("executes events in order of time, and in order of scheduling at the same time", () => {
    const { kernel, heard, reactor } = recording()
    for (const [argument, time] of [30, 10, 20, 10, 30, 10].entries()) kernel.at(time, reactor, 0, argument)
    expect(kernel.run()).toBe(6)
    const expected = [
      [10, 1],
      [10, 3],
      [10, 5],
      [20, 2],
      [30, 0],
      [30, 4]
    ]
    expect(heard).toEqual(expected)
    expect([kernel.now, kernel.executed]).toEqual([30, 6])
  })

  it("tells a reactor the code and the argument of its event", () => {
    const kernel = new Kernel()
    const heard: unknown[] = []
    const first = kernel.add({ receive: (code, argument) => heard.push(["first", code, argument]) })
    const second = kernel.add({ receive: (code, argument) => heard.push(["second", code, argument]) })
    kernel.at(1, second, 7, 0.5)
    kernel.at(2, first, -3, 2 ** 52)
    kernel.run()
    expect(heard).toEqual([
      ["second", 7, 0.5],
      ["first", -3, 2 ** 52]
    ])
  })

  it("executes an event scheduled for now after those already due now", () => {
    const kernel = new Kernel()
    const heard: number[] = []
    const reactor = kernel.add({
      receive: (_code, argument) => {
        heard.push(argument)
        if (argument === 1) kernel.at(kernel.now, reactor, 0, 3)
      }
    })
    kernel.at(5, reactor, 0, 1)
    kernel.at(5, reactor, 0, 2)
    kernel.run()
    expect(heard).toEqual([1, 2, 3])
  })

  it("rounds times up to whole nanoseconds", () => {
    const { kernel, heard, reactor } = recording()
    kernel.at(0.1, reactor, 0, 0)
    kernel.at(7.000001, reactor, 0, 1)
    kernel.run()
    expect(heard.map(([time]) => time)).toEqual([1, 8])
  })

  it.each([9, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    "refuses an event at %d when it is 10",
    (time) => {
      const { kernel, reactor } = recording()
      kernel.at(10, reactor, 0, 0)
      kernel.run()
      expect(() => kernel.at(time, reactor, 0, 0)).toThrow("now 10")
    }
  )

  it("does not move the clock for cancelled events", () => {
    const { kernel, heard, reactor } = recording()
    const early = kernel.at(10, reactor, 0, 0)
    kernel.at(20, reactor, 0, 1)
    const late = kernel.at(30, reactor, 0, 2)
    kernel.cancel(early)
    kernel.cancel(late)
    expect([kernel.pending, kernel.next()]).toEqual([1, 20])
    kernel.run()
    expect(heard).toEqual([[20, 1]])
    expect([kernel.now, kernel.next()]).toEqual([20, Number.POSITIVE_INFINITY])
  })

  it("does not let an old id cancel the event that took its slot", () => {
    const { kernel, heard, reactor } = recording()
    const old = kernel.at(1, reactor, 0, 0)
    kernel.run()
    expect(kernel.at(2, reactor, 0, 1)).not.toBe(old)
    kernel.cancel(old)
    kernel.cancel(-1)
    expect(kernel.pending).toBe(1)
    kernel.run()
    expect(heard.map(([, argument]) => argument)).toEqual([0, 1])
  })

  it("stops at a time or after a number of events", () => {
    const { kernel, heard, reactor } = recording()
    for (let time = 1; time <= 10; time++) kernel.at(time, reactor, 0, time)
    expect(kernel.run({ until: 4 })).toBe(4)
    expect(kernel.run({ events: 2 })).toBe(2)
    expect(kernel.run({ until: 8, events: 5 })).toBe(2)
    expect(heard.map(([time]) => time)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(kernel.pending).toBe(2)
  })

  it("keeps cancelled timers from piling up", () => {
    const kernel = new Kernel()
    // Every event sets a far timer and cancels the last one, as the timeout of each request would.
    let timer = -1
    let ticks = 0
    const timers = kernel.add({ receive: () => expect.unreachable() })
    const clock = kernel.add({
      receive: () => {
        kernel.cancel(timer)
        if (++ticks === 100_000) return
        timer = kernel.at(kernel.now + 1e12, timers, 0, 0)
        kernel.at(kernel.now + 1, clock, 0, 0)
      }
    })
    kernel.at(0, clock, 0, 0)
    kernel.run({ events: 99_999 })
    expect(kernel.held).toBeLessThan(2_100)
    kernel.run()
    expect([kernel.pending, kernel.now]).toEqual([0, 99_999])
  })
})

type Step =
  | { readonly do: "at"; readonly delay: number }
  | { readonly do: "cancel"; readonly which: number }
  | { readonly do: "step" }

/** Runs steps on a kernel and on the plainest thing that could be right: a list, searched for its least element. */
const agree = (script: Iterable<Step>): void => {
  const { kernel, heard, reactor } = recording()
  const ids: number[] = []
  let due: { readonly time: number; readonly id: number }[] = []
  let now = 0
  const expected: (readonly [number, number])[] = []
  const stepList = (): boolean => {
    let least: (typeof due)[number] | undefined
    for (const event of due) if (least === undefined || event.time < least.time) least = event
    if (least === undefined) return false
    due = due.filter((event) => event !== least)
    now = least.time
    expected.push([now, least.id])
    return true
  }
  for (const step of script) {
    if (step.do === "at") {
      due.push({ time: now + step.delay, id: ids.length })
      ids.push(kernel.at(kernel.now + step.delay, reactor, 0, ids.length))
    } else if (step.do === "cancel" && ids.length > 0) {
      const which = step.which % ids.length
      due = due.filter(({ id }) => id !== which)
      kernel.cancel(ids[which]!)
    } else if (step.do === "step") {
      expect(kernel.step()).toBe(stepList())
    }
    expect(kernel.pending).toBe(due.length)
  }
  kernel.run()
  while (stepList());
  expect(heard).toEqual(expected)
  expect(kernel.now).toBe(now)
}

describe("beside a list searched for its least element", () => {
  it("does the same for any script of events, cancellations and steps", () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant("at" as const), delay: fc.nat(20) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("cancel" as const), which: fc.nat(100) }) },
      { weight: 2, arbitrary: fc.constant({ do: "step" as const }) }
    )
    fc.assert(fc.property(fc.array(step, { maxLength: 120, size: "max" }), agree), { numRuns: 200 })
  })

  it("does the same when thousands of cancellations sweep the heap", () => {
    const random = new Random(1, "script")
    const script: Step[] = []
    for (let i = 0; i < 6000; i++) {
      script.push({ do: "at", delay: random.integer(100) })
      if (i % 4 !== 0) script.push({ do: "cancel", which: i })
      if (i % 50 === 0) script.push({ do: "step" })
    }
    agree(script)
  })
})
