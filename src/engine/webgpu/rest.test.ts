import { describe, expect, it } from "vitest"
import { Rest } from "./rest.ts"

/** A thread whose turns the test makes, and what it slept in each. */
const thread = () => {
  let next: (() => void) | undefined
  const slept: number[] = []
  const rest = new Rest({
    nextTurn: (turn) => {
      expect(next).toBeUndefined()
      next = turn
    },
    sleep: (milliseconds) => void slept.push(milliseconds)
  })
  const turns = (count: number): readonly number[] => {
    const before = slept.length
    for (let i = 0; i < count; i++) {
      const turn = next
      next = undefined
      turn?.()
    }
    return slept.slice(before)
  }
  return { rest, turns, idle: () => next === undefined }
}

const open = (): { readonly work: Promise<number>; readonly end: (value: number) => void } => {
  const { promise, resolve } = Promise.withResolvers<number>()
  return { work: promise, end: resolve }
}

describe("a thread that waits for a device", () => {
  it("sleeps more the longer it waits, by a sixteenth of the wait at most", () => {
    const { rest, turns } = thread()
    void rest.during(open().work)
    expect(turns(8)).toEqual([])
    const sleeps = turns(400)
    expect(sleeps[0]).toBe(0.05)
    expect(sleeps.at(-1)).toBe(1)
    let before = 0
    for (const sleep of sleeps) {
      expect(sleep).toBeLessThanOrEqual(Math.max(0.05, before / 16))
      before += sleep
    }
  })

  it("is awake again for news, when one of several waits begins or ends", async () => {
    const { rest, turns } = thread()
    const one = open()
    const first = rest.during(one.work)
    expect(turns(100).length).toBeGreaterThan(0)
    void rest.during(open().work)
    expect(turns(8)).toEqual([])
    expect(turns(100).at(-1)).toBeGreaterThan(0.05)
    one.end(7)
    await expect(first).resolves.toBe(7)
    expect(turns(8)).toEqual([])
    expect(turns(1)).toEqual([0.05])
  })

  it("takes turns no longer than anybody waits, whatever came of it", async () => {
    const { rest, turns, idle } = thread()
    const failed = rest.during(Promise.reject(new Error("lost")))
    await expect(failed).rejects.toThrow("lost")
    expect(turns(20)).toEqual([])
    expect(idle()).toBe(true)
    const one = open()
    const again = rest.during(one.work)
    expect(turns(20).length).toBeGreaterThan(0)
    one.end(1)
    await again
    turns(1)
    expect(idle()).toBe(true)
  })
})
