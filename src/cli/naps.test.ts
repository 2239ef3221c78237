import { describe, expect, it } from "vitest"
import { napWhileWaiting } from "./naps.ts"

/** Turns of the event loop. */
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Stands in for Dawn's classes: a promise is open until it is told otherwise. */
const dawn = () => {
  const open: { readonly resolve: () => void; readonly reject: (cause: Error) => void }[] = []
  const wait = (): Promise<unknown> =>
    new Promise<void>((resolve, reject) => {
      open.push({ resolve, reject })
    })
  const classes = {
    GPUBuffer: { prototype: { mapAsync: wait } },
    GPUQueue: { prototype: { onSubmittedWorkDone: wait } }
  }
  const naps: number[] = []
  napWhileWaiting(classes, (milliseconds) => naps.push(milliseconds))
  return {
    open,
    naps,
    map: () => classes.GPUBuffer.prototype.mapAsync(),
    done: () => classes.GPUQueue.prototype.onSubmittedWorkDone()
  }
}

describe("naps beside a GPU that works", () => {
  it("grow while nothing comes, begin anew when something does, and end with the last wait", async () => {
    const { open, naps, map, done } = dawn()
    await turns(3)
    expect(naps).toEqual([])
    const first = map()
    const second = done()
    await turns(3)
    expect(naps).toEqual([])
    await turns(8)
    expect(naps.slice(0, 4)).toEqual([0.05, 0.1, 0.2, 0.2])
    expect(Math.max(...naps)).toBe(0.2)
    open[0]!.resolve()
    await first
    naps.length = 0
    await turns(8)
    expect(naps.slice(0, 2)).toEqual([0.05, 0.1])
    open[1]!.resolve()
    await second
    await turns(2)
    naps.length = 0
    await turns(8)
    expect(naps).toEqual([])
  })

  it("end with a wait that is refused, whose cause is told, and come again for another", async () => {
    const { open, naps, map } = dawn()
    const refused = map()
    open[0]!.reject(new Error("no"))
    await expect(refused).rejects.toThrow("no")
    await turns(2)
    naps.length = 0
    await turns(8)
    expect(naps).toEqual([])
    const again = map()
    await turns(8)
    expect(naps.length).toBeGreaterThan(0)
    open[1]!.resolve()
    await again
  })

  it("are taken once a turn, however many wait", async () => {
    const { open, naps, map } = dawn()
    const all = Promise.all([map(), map(), map()])
    await turns(12)
    expect(naps.length).toBeGreaterThan(4)
    expect(naps.length).toBeLessThanOrEqual(12)
    for (const { resolve } of open) resolve()
    await all
  })
})
